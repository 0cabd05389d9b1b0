"""Files written as vendors write them, imported as the command does with --yes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from openbell.importers.csv import CSV_ENDINGS, import_csv_as
from openbell.importers.files.import_files import find_sources
from openbell.importers.sniffing.guess import Given, Guess
from openbell.importers.sniffing.sniff import sniff_csv
from openbell.store.store import BarStore

if TYPE_CHECKING:
    from pathlib import Path

    from openbell.importers.import_report import ImportReport

__all__ = ["guess_of", "imported", "table"]


def table(*rows: str, header: str = "time,open,high,low,close,volume") -> str:
    """A CSV of rows whose times are given, with prices around 170."""
    lines = [
        f"{row},{170 + i % 3},{172 + i % 3},{169 + i % 3}.5,{171 + i % 3},{1000 + i}" for i, row in enumerate(rows)
    ]
    return "\n".join([header, *lines]) + "\n"


def guess_of(path: Path, *, allow_negative: bool = False, **given: object) -> Guess:
    """What is guessed of a file, or of the first one in a folder."""
    first = find_sources([path], CSV_ENDINGS, symbol=None, file_name="{symbol}", symbol_column=True)[0]
    if given.get("symbol"):
        first = replace(first, symbol=str(given["symbol"]))
    guess = sniff_csv(first, Given(**given))  # type: ignore[arg-type]
    return replace(guess, reading=replace(guess.reading, allow_negative=allow_negative))


def imported(path: Path, **given: object) -> tuple[BarStore, ImportReport]:
    """Import a file or folder by what is guessed of it."""
    guess = guess_of(path, **given)  # type: ignore[arg-type]
    store = BarStore.open_or_create(path.parent / "store")
    symbol = given.get("symbol")
    return store, import_csv_as([path], store, guess.reading, symbol=str(symbol) if symbol else None)
