"""Corporate actions from LEAN's factor files and map files of US equities.

``equity/usa/factor_files/spy.csv`` has rows of date, price factor, split factor and the raw close of that date. Each
row is valid up to its date; where the factors change from one row to the next, the ex-date is the session after that:

- a split of (split factor after / split factor before) new shares for one old share,
- a dividend of close x (1 - price factor before / price factor after), per share as held before.

``equity/usa/map_files/bac.csv`` has rows of the last date and the ticker until then; the next row's ticker follows.
Both files are named by the last ticker, under which the splits and dividends of all times are recorded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import polars as pl

from openbell.actions.store import ActionStore
from openbell.actions.table import ACTION_SCHEMA, check_actions
from openbell.errors import CalendarError
from openbell.store.write_report import WriteReport
from openbell.timing.time_manager import TimeManager

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from openbell.model.address import Place

__all__ = ["LeanActions", "import_lean_actions"]

_EXCHANGE = "XNYS"
# Factors have seven digits, so smaller changes are noise, and a split is the nearest ratio of small whole numbers.
_FACTOR_NOISE = 1e-6
_SPLIT_NOISE = 1e-5
_LARGEST_TERM = 100
_CASH_DIGITS = 4


@dataclass
class LeanActions:
    """The result of an import of LEAN's factor and map files.

    Attributes:
        written: Actions added, revised and unchanged.
        failed: Files, or single actions, that cannot be used, with the reason; they were not imported.
    """

    written: WriteReport = field(default_factory=WriteReport)
    failed: list[tuple[Path, str]] = field(default_factory=list)


class _Factors(NamedTuple):
    """A row of a factor file."""

    last_day: date
    price: float
    split: float
    close: float


_T = TypeVar("_T")
_Row = tuple[str, date, str, "float | None", "str | None", "float | None"]


def import_lean_actions(root: Path, store: Place, symbols: Collection[str] | None = None) -> LeanActions:
    """Import splits, dividends and renames.

    Args:
        root: LEAN's folder ``equity/usa``; without factor and map files in it, nothing is imported.
        store: The store's folder. The caller must not hold the store's writer.
        symbols: The symbols whose files are read (upper or lower case); None: all.
    """
    report = LeanActions()
    wanted = None if symbols is None else {symbol.lower() for symbol in symbols}
    rows: list[_Row] = []
    for folder, read in (("factor_files", _factor_actions), ("map_files", _renames)):
        for path in sorted((root / folder).glob("*.csv")):
            if wanted is None or path.stem.lower() in wanted:
                try:
                    rows += list(read(path, _lines(path)))
                except (ValueError, OSError, CalendarError) as exc:
                    report.failed.append((path, str(exc)))
    frame = pl.DataFrame(rows, schema=ACTION_SCHEMA, orient="row").with_row_index("line")
    checked = check_actions(frame)
    report.failed += [(root / "factor_files", f"{frame['symbol'][at]}: {why}") for at, why in checked.bad.iter_rows()]
    report.written = ActionStore(store).write(checked.good)
    return report


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    """Return the number and fields of each line that is not empty."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [(number, line.split(",")) for number, line in enumerate(lines, 1) if line.strip()]


def _factor_actions(path: Path, lines: list[tuple[int, list[str]]]) -> Iterator[_Row]:
    """Yield the splits and dividends in a factor file.

    Raises:
        ValueError: A line cannot be parsed, or makes no dividend.
    """
    symbol = path.stem.upper()
    # A row with an infinite factor marks where LEAN's data begins.
    rows = [(number, _parsed(_factors, number, fields)) for number, fields in lines if "inf" not in fields[1:3]]
    for (_, before), (number, after) in pairwise(sorted(rows, key=lambda row: row[1].last_day)):
        paid, shares = before.price / after.price, after.split / before.split
        if abs(shares - 1) > _FACTOR_NOISE:
            yield symbol, _session_after(before.last_day), "split", _simple(shares), None, None
        if abs(paid - 1) <= _FACTOR_NOISE:
            continue
        cash = round(before.close * (1 - paid), _CASH_DIGITS)
        if paid > 1 or not before.close > 0:
            raise ValueError(f"line {number}: the price factor falls, or the close before it is missing")
        if cash > 0:
            yield symbol, _session_after(before.last_day), "dividend", cash, None, before.close


def _factors(fields: list[str]) -> _Factors:
    price, split = float(fields[1]), float(fields[2])
    if not (price > 0 and split > 0):
        raise ValueError("a factor is not above 0")
    return _Factors(_day(fields[0]), price, split, float(fields[3]) if len(fields) > 3 else 0.0)


def _renames(_: Path, lines: list[tuple[int, list[str]]]) -> Iterator[_Row]:
    """Yield the renames in a map file.

    Raises:
        ValueError: A line cannot be parsed.
    """
    rows = [_parsed(_ticker, number, fields) for number, fields in lines]
    for (last_day, old), (__, new) in pairwise(sorted(rows)):
        if old != new:
            yield old, _session_after(last_day), "rename", None, new, None


def _parsed(read: Callable[[list[str]], _T], number: int, fields: list[str]) -> _T:
    """Parse the fields of a line by ``read``, with errors that name the line."""
    try:
        return read(fields)
    except (ValueError, IndexError) as exc:
        raise ValueError(f"line {number} cannot be read ({','.join(fields)}): {exc}") from exc


def _ticker(fields: list[str]) -> tuple[date, str]:
    return _day(fields[0]), fields[1].strip().upper()


def _day(text: str) -> date:
    return date(int(text[:4]), int(text[4:6]), int(text[6:8]))


def _session_after(day: date) -> date:
    return TimeManager(_EXCHANGE).first_session_on_or_after(day + timedelta(days=1))


def _simple(shares: float) -> float:
    """Return the ratio of small whole numbers near a split factor.

    Where none is near, the factor itself is returned.
    """
    simple = float(Fraction(shares).limit_denominator(_LARGEST_TERM))
    return simple if abs(simple / shares - 1) <= _SPLIT_NOISE else shares
