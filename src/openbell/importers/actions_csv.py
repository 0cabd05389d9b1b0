"""Corporate actions from a CSV file with the columns symbol, ex_date, type and value.

Rows that cannot be used are written to the quarantine with line and reason.

The value of a split is new shares for one old share (``7``, ``0.05``) or both (``7:1``, ``1:20``); of a dividend, cash
per share as held before the ex-date; of a rename, the new symbol. An optional column ``reference`` has the raw close
before the ex-date of a dividend.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from openbell.actions.store import ActionStore
from openbell.actions.table import ACTION_SCHEMA, check_actions
from openbell.errors import BadBarsError, ConfigError, did_you_mean
from openbell.importers.files.disk_errors import writing_to
from openbell.importers.quarantine import move_into_place
from openbell.store import layout
from openbell.store.backing import backing_of
from openbell.store.write_report import WriteReport

if TYPE_CHECKING:
    from pathlib import Path

    from openbell.model.address import Place

__all__ = ["ActionsReport", "import_actions_csv"]

_COLUMNS = ("symbol", "ex_date", "type", "value")
_OPTIONAL = ("reference",)
_RATIO = r"^\s*([\d.]+)\s*[:/]\s*([\d.]+)\s*$"


@dataclass(frozen=True, slots=True)
class ActionsReport:
    """The result of an import of actions.

    Attributes:
        written: Actions added, revised and unchanged.
        duplicates: Number of rows that repeated another one and were left out.
        added_up: Number of dividends that were added to another one of the same ex-date.
        set_aside: Number of rows that cannot be used.
        quarantine: The file with the rows that cannot be used; None when there are none.
        symbols: The symbols of the actions, sorted.
    """

    written: WriteReport = field(default_factory=WriteReport)
    duplicates: int = 0
    added_up: int = 0
    set_aside: int = 0
    quarantine: Path | None = None
    symbols: tuple[str, ...] = ()


def import_actions_csv(path: Path, store: Place) -> ActionsReport:
    """Import corporate actions from a CSV file.

    Args:
        path: A CSV file with a header line.
        store: The store's folder or address. The caller must not hold the store's writer.

    Raises:
        ConfigError: There is no such file, or a column is missing.
        BadBarsError: No row can be used.
    """
    written = _read(path)
    checked = check_actions(_parsed(written))
    quarantine = _set_aside(path, backing_of(store).scratch, written, checked.bad) if len(checked.bad) else None
    if checked.good.is_empty():
        first = ""
        if quarantine is not None:
            first = f" The first is line {checked.bad['line'][0]}: {checked.bad['reason'][0]}; "
            first += f"{quarantine} holds them with the reasons."
        raise BadBarsError(f"{path} has no corporate action that can be used.{first}")
    report = ActionStore(store).write(checked.good)
    symbols = tuple(checked.good["symbol"].unique().sort())
    return ActionsReport(report, checked.duplicates, checked.added_up, len(checked.bad), quarantine, symbols)


def _read(path: Path) -> pl.DataFrame:
    """Read the rows as text, with ``line``, where the header is line 1."""
    try:
        frame = pl.read_csv(path, infer_schema=False, truncate_ragged_lines=True)
    except FileNotFoundError:
        raise ConfigError(f"there is no file {path}.") from None
    except (pl.exceptions.PolarsError, OSError) as exc:
        raise ConfigError(f"{path} cannot be read as CSV: {exc}") from exc
    frame = frame.rename({name: name.strip().lower() for name in frame.columns})
    if missing := [name for name in _COLUMNS if name not in frame.columns]:
        near = did_you_mean(missing[0], frame.columns)
        raise ConfigError(
            f"{path} has no column {', '.join(missing)}; it has {', '.join(frame.columns)}.{near} "
            f"Its header must be {','.join(_COLUMNS)}, and may have {', '.join(_OPTIONAL)}."
        )
    if "reference" not in frame.columns:
        frame = frame.with_columns(reference=pl.lit(None, pl.String))
    return frame.select(pl.col(*_COLUMNS, *_OPTIONAL).str.strip_chars()).with_row_index("line", offset=2)


def _parsed(written: pl.DataFrame) -> pl.DataFrame:
    """Return rows of `ACTION_SCHEMA` with ``line``, null where a text cannot be parsed."""
    kind = pl.col("type").str.to_lowercase()
    text = pl.col("value")
    ratio = text.str.extract(_RATIO, 1).cast(pl.Float64, strict=False) / text.str.extract(_RATIO, 2).cast(
        pl.Float64, strict=False
    )
    number = text.cast(pl.Float64, strict=False)
    return written.select(
        "line",
        "symbol",
        pl.col("ex_date").str.to_date("%Y-%m-%d", strict=False),
        kind,
        value=pl.when(kind == "split").then(number.fill_null(ratio)).when(kind == "dividend").then(number),
        new_symbol=pl.when(kind == "rename").then(text),
        reference=pl.when(kind == "dividend").then(pl.col("reference").cast(pl.Float64, strict=False)),
    ).select("line", *ACTION_SCHEMA)


def _set_aside(path: Path, store: Path, written: pl.DataFrame, bad: pl.DataFrame) -> Path:
    """Write bad rows with their reasons to the quarantine, and return the file."""
    folder = store / layout.QUARANTINE
    with writing_to(folder):
        return _written_to(folder, path, written, bad)


def _written_to(folder: Path, path: Path, written: pl.DataFrame, bad: pl.DataFrame) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{path.stem}.tmp"
    rows = written.join(bad.with_columns(pl.col("line").cast(written.schema["line"])), on="line").sort("line")
    rows.select("line", "reason", *_COLUMNS, *_OPTIONAL).write_csv(temporary)
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    return move_into_place(temporary, folder, f"actions-{path.stem}")
