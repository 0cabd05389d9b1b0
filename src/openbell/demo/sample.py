"""Demo folder with a store of synthetic bars, a config and a universe."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from typing import TYPE_CHECKING

import polars as pl

from openbell.demo.market import Listing, daily_bars, minute_bars
from openbell.errors import StoreError
from openbell.model.interval import parse_interval
from openbell.store.atomic_files import replace_file
from openbell.store.label import LABEL, write_label
from openbell.store.store import BarStore
from openbell.timing import TimeManager

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["SYNTHETIC", "DemoFolder", "make_demo_folder"]

SYNTHETIC = "SYNTHETIC DATA"
"""Label of the demo's store."""

_LABEL_TEXT = f"""{SYNTHETIC}
Made-up symbols with generated prices, written by openbell demo. Not a market, nor like one in any detail.
recipe: {{recipe}}
"""

_SEED = 20240703
_FIRST_DAY, _LAST_DAY = date(2023, 6, 1), date(2024, 7, 5)
_FIRST_DAY_OF_MINUTES = date(2024, 6, 3)

_LISTINGS = (
    Listing("ALFA", 182.40, 9_000),
    Listing("BRVO", 47.15, 21_000),
    Listing("CHRL", 316.80, 4_000),
    Listing("DLTA", 23.90, 34_000, missing=0.004),
    Listing("EKKO", 95.25, 12_000, halts=(("2024-07-02", 52, 9), ("2024-07-05", 121, 5))),
    Listing("FXTT", 61.70, 7_000),
)
_UNIVERSE = tuple(
    Listing(f"SYN{number:02}", 18.0 + 7.3 * number, 2_000 + 450 * number, missing=0.002 * (number % 4))
    for number in range(1, 41)
)


@dataclass(frozen=True, slots=True)
class DemoFolder:
    """A demo folder that is ready to run.

    Attributes:
        path: The folder.
        config: The session config, which users may edit.
        store: The folder of the store.
        made: Whether the store was made now, and was not there already.
    """

    path: Path
    config: Path
    store: Path
    made: bool


def make_demo_folder(folder: Path, advanced: Callable[[int, int], None] | None = None) -> DemoFolder:
    """Create the files of the demo that a folder does not have yet.

    Existing files, such as an edited config, stay as they are.

    Args:
        folder: The folder; it is created if it does not exist.
        advanced: Called with the number of symbols that are done, and the number of all.

    Raises:
        StoreError: The folder's store was made by another version of the demo, or holds something else.
    """
    store = folder / "store"
    made = _make_store(store, advanced)
    _write_if_missing(folder / "universe.txt", _universe_text())
    config = folder / "session.yaml"
    _write_if_missing(config, files("openbell.demo").joinpath("session.yaml").read_text(encoding="utf-8"))
    return DemoFolder(folder, config, store, made)


def _make_store(path: Path, advanced: Callable[[int, int], None] | None) -> bool:
    label = _LABEL_TEXT.format(recipe=_recipe())
    held = (path / LABEL).read_text(encoding="utf-8") if (path / LABEL).exists() else None
    if held == label:
        return False
    if held is not None:
        raise StoreError(
            f"{path} was made by another version of the demo. Delete it, or name another folder with --out."
        )
    store = BarStore.open_or_create(path)
    if foreign := set(store.symbols()) - {listing.symbol for listing in (*_LISTINGS, *_UNIVERSE)}:
        raise StoreError(f"{path} holds other bars ({', '.join(sorted(foreign)[:3])}). Name another folder with --out.")
    _write_bars(store, advanced)
    # The label comes last: a store that has it is complete.
    write_label(path, label)
    return True


def _write_bars(store: BarStore, advanced: Callable[[int, int], None] | None) -> None:
    """Write daily bars of all days, and minute bars of the last weeks."""
    time_manager = TimeManager("XNYS")
    grid = time_manager.grid(_FIRST_DAY, _LAST_DAY)
    expected = grid.expected_bars(parse_interval("1m"))
    first_ns = pl.lit(time_manager.session(time_manager.first_session_on_or_after(_FIRST_DAY_OF_MINUTES)).open_ns)
    listings = (*_LISTINGS, *_UNIVERSE)
    with store.writer() as writer:
        for done, listing in enumerate(listings, start=1):
            minutes = minute_bars(listing, _SEED, expected)  # of all days, since daily bars are made of them
            writer.write(listing.symbol, "1d", daily_bars(minutes, grid))
            writer.write(listing.symbol, "1m", minutes.filter(pl.col("timestamp").to_physical() >= first_ns))
            if advanced:
                advanced(done, len(listings))


def _recipe() -> str:
    """Return a hash of everything that the bars are made of."""
    parts = (_SEED, _FIRST_DAY, _LAST_DAY, _FIRST_DAY_OF_MINUTES, _LISTINGS, _UNIVERSE)
    source = files("openbell.demo").joinpath("market.py").read_bytes()
    return hashlib.sha256(repr(parts).encode() + source).hexdigest()[:16]


def _universe_text() -> str:
    lines = ["# The scanner's universe: SYNTHETIC symbols, one a line.", *(listing.symbol for listing in _UNIVERSE)]
    return "\n".join(lines) + "\n"


def _write_if_missing(path: Path, text: str) -> None:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, text.encode())
