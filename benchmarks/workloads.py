"""The workloads, each in a full and a quick size, and the jobs that the engines' scripts get."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import synthetic
from benchmarks.environments import CACHE
from benchmarks.synthetic import calendar, make_store, sessions, symbols, write_bars

from openbell.errors import OpenbellError
from openbell.model.interval import DAY_NS
from openbell.store.store import BarStore
from openbell.timing.grid import day_number

if TYPE_CHECKING:
    from datetime import date

PEERS = ("nautilus", "backtrader", "zipline", "zipline_history", "vectorbt")
HISTORY = 3
"""Sessions before the measured ones, for the warm-up of openbell's indicators."""


@dataclass(frozen=True)
class Workload:
    """A workload in one size.

    Attributes:
        script: What the engines' scripts are called after ``peers/<engine>``.
        engines: Who runs it.
        stored: The interval of the files.
        interval: The interval of the indicators and callbacks.
        repeats: Timed runs of each engine.
        extra: Whatever else the scripts want to know.
        reference: Whom the others are compared with before they are timed.
        pinned: Whether openbell and the floor run in their pinned environment, or in that of this process.
    """

    name: str
    title: str
    symbol_count: int
    session_count: int
    stored: str = "1m"
    interval: str = "1m"
    engines: tuple[str, ...] = ("floor", "openbell")
    script: str = ""
    repeats: int = 5
    history: int = HISTORY
    extra: dict[str, Any] = field(default_factory=dict)
    reference: str = "floor"
    pinned: bool = True

    @property
    def days(self) -> list[date]:
        """The measured sessions."""
        return sessions(self.history + self.session_count)[self.history :]

    @property
    def size(self) -> str:
        """The size in words."""
        derived = "" if self.interval == self.stored else f", {self.interval} derived"
        return f"{self.symbol_count:,} symbols x {self.session_count:,} sessions x {self.stored}{derived}"

    @property
    def folder(self) -> str:
        """The name of the folder of the data; workloads of one size share it."""
        return f"{self.stored}-{self.symbol_count}-{self.history}+{self.session_count}"

    def data(self) -> Path:
        """The store with the data, made when it is missing or of another version."""
        path = CACHE / "data" / self.folder
        digest = hashlib.sha256(Path(synthetic.__file__).read_bytes()).hexdigest()
        if not _usable(path, digest):
            print(f"making the data of {self.name} ...", flush=True)
            shutil.rmtree(path, ignore_errors=True)
            path.mkdir(parents=True)
            self.write(path / "store")
            (path / "complete").write_text(digest)
        return path / "store"

    def write(self, store: Path) -> None:
        """Write the data."""
        make_store(store, self.symbol_count, self.history + self.session_count, self.stored)

    def job(self) -> dict[str, Any]:
        """What the scripts get to know."""
        store, days = self.data(), self.days
        grid = calendar().grid(days[0], days[-1])
        unit = {"s": 1, "m": 60, "d": 86_400}
        seconds = {name: int(name[:-1]) * unit[name[-1]] for name in (self.stored, self.interval)}
        folders = {name: store / "bars" / f"interval={self.stored}" / f"symbol={name}" for name in self.symbols}
        return {
            "workload": self.name,
            "pinned": self.pinned,
            "symbols": self.symbols,
            "store": str(store),
            "files": {name: [str(file) for file in sorted(folder.iterdir())] for name, folder in folders.items()},
            "history_day": str(sessions(1)[0]),
            "first_day": str(days[0]),
            "last_day": str(days[-1]),
            "history_ns": int(calendar().grid(sessions(1)[0], days[0]).open_ns[0]),
            "first_ns": int(grid.open_ns[0]),
            "end_ns": int(grid.close_ns[-1]),
            # From here on, no average remembers how it was started.
            "settled_ns": int(grid.open_ns[min(2, len(days) - 1)]),
            "stored": self.stored,
            "interval": self.interval,
            "bar_ns": seconds[self.stored] * 1_000_000_000,
            "minutes": seconds[self.interval] // seconds[self.stored],
            **self.extra,
        }

    @property
    def symbols(self) -> list[str]:
        """The symbols."""
        return symbols(self.symbol_count)


@dataclass(frozen=True)
class Universe(Workload):
    """A universe scan before one session: daily bars of all symbols, one-minute bars of the wild ones only."""

    @property
    def size(self) -> str:
        return f"{self.symbol_count:,} symbols x {self.history} daily bars"

    @property
    def folder(self) -> str:
        return f"universe-{self.symbol_count}-{self.history}"

    def write(self, store: Path) -> None:
        days = sessions(self.history + self.session_count)
        wild, tame = self.symbols[: 2 * self.extra["keep"]], self.symbols[2 * self.extra["keep"] :]
        with BarStore.open_or_create(store).writer() as writer:
            write_bars(writer, wild, days, "1d", wildness=3)
            write_bars(writer, tame, days, "1d")
            write_bars(writer, wild, days[-HISTORY - 1 :], "1m", wildness=3)

    def job(self) -> dict[str, Any]:
        job = super().job()
        daily = "/interval=1d/", "/interval=1m/"
        minute_files = {
            symbol: [str(file) for file in sorted((Path(files[0].replace(*daily)).parent).glob("*.parquet"))]
            for symbol, files in job["files"].items()
        }
        return {
            **job,
            "minute_files": minute_files,
            "stored": "1m",
            "interval": "1m",
            "day_ns": midnight_ns(self.days[0]),
        }


def _usable(path: Path, digest: str) -> bool:
    """Whether the data is there, whole, and readable by this version of openbell."""
    marker = path / "complete"
    if not marker.exists() or marker.read_text() != digest:
        return False
    try:
        return bool(BarStore.open(path / "store").coverage())
    except OpenbellError:
        return False


def midnight_ns(day: date) -> int:
    """The start of a day in UTC, as daily bars are stamped."""
    return day_number(day) * DAY_NS


ALL = ("floor", "openbell", *PEERS)
FULL = [
    Workload("per_bar", "1 per bar", 20, 60, engines=ALL),
    Workload("derived", "2 derived", 20, 60, interval="5m", engines=ALL),
    Workload("wide", "3 wide", 500, 20, interval="5m", script="_wide", history=8),
    Workload("deep", "4 deep", 1, 2520),
    Workload("seconds", "5 seconds", 5, 5, stored="1s", interval="1s"),
    Universe("universe", "6 universe", 5000, 1, stored="1d", script="_universe", history=160, extra={"keep": 20}),
    Workload("days", "8 days", 10, 252),
    Workload("days_derived", "8 days, 5m derived", 10, 252, interval="5m"),
    Workload(
        "orders",
        "9 orders",
        20,
        60,
        engines=("openbell", "nautilus", "backtrader", "zipline"),
        script="_orders",
        reference="openbell",
        extra={"strategy": "EmaReversals", "market": "next_open"},
    ),
]
RESTING = Workload("resting", "9 resting orders", 20, 60)
MID_SESSION = Workload("mid_session", "7 mid-session", 205, 1, script="_mid_session", history=10)
QUICK = [
    replace(FULL[0], symbol_count=20, session_count=30, engines=("floor", "openbell"), pinned=False),
    replace(FULL[1], symbol_count=20, session_count=30, engines=("floor", "openbell"), pinned=False),
    replace(FULL[2], symbol_count=100, session_count=5, pinned=False),
    replace(FULL[3], session_count=500, pinned=False),
    replace(FULL[4], symbol_count=2, pinned=False),
    replace(FULL[5], symbol_count=1000, pinned=False),
]
