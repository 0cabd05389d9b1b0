"""Comparison of a live run with the backtest of its record."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import polars as pl

from openbell.config import load_config
from openbell.engine.system import SystemManager
from openbell.errors import ProvisioningError, RunFolderError
from openbell.live.incoming.fetched_history import frame_of
from openbell.live.record.backtest_of_record import RecordedMode, RecordedRun
from openbell.live.record.feed_record import read_record
from openbell.live.record.recorded_past import Played
from openbell.results.folder.event_files import whole_lines
from openbell.results.folder.run_folder import RunFolder
from openbell.store.store import BarStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openbell.engine.observer import SessionObserver
    from openbell.model.feed_events import FeedBar
    from openbell.model.json_object import JsonObject

__all__ = ["Difference", "Verification", "store_of_record", "verify_run"]

_EVENTS = ("scans.jsonl", "signals.jsonl", "orders.jsonl", "fills.jsonl", "cash.jsonl")
_FRAMES = ("bars", "indicators")


@dataclass(frozen=True, slots=True)
class Difference:
    """The first difference of one file.

    Attributes:
        file: The file, relative to the run folder.
        where: The line, or the row and column.
        live: The content of the live run there; empty if there is none.
        backtest: The content of the backtest there.
        time: The session time of the content, empty if it has none.
        revision: A late or corrected bar before that time, which may be the reason; empty if there is none.
    """

    file: str
    where: str
    live: str
    backtest: str
    time: str = ""
    revision: str = ""

    def to_dict(self) -> JsonObject:
        """Return a JSON object of all attributes."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Verification:
    """Outcome of a comparison.

    Attributes:
        compared: How many lines of events, and how many files of bars and indicators, were compared.
        bars: How many bars the run recorded.
        revisions: How many bars came late, or again with other values, after their time was played.
        differences: The first difference of each file that has any.
    """

    compared: tuple[int, int]
    bars: int
    revisions: int
    differences: tuple[Difference, ...]

    @property
    def is_equal(self) -> bool:
        """Whether every difference, if there is any, may come from a revision."""
        return all(one.revision for one in self.differences)

    def to_dict(self) -> JsonObject:
        """Return a JSON object of all attributes."""
        return {
            "equal": self.is_equal,
            "lines": self.compared[0],
            "files": self.compared[1],
            "bars": self.bars,
            "revisions": self.revisions,
            "differences": [one.to_dict() for one in self.differences],
        }


def verify_run(folder: Path, observer: SessionObserver | None = None) -> Verification:
    """Run the record of a live run as a backtest, and compare the results.

    Args:
        folder: The run folder.
        observer: Receives the events of the backtest.

    Raises:
        RunFolderError: The folder is none of a live run, or the run has not begun a session.
    """
    run = RecordedRun.of(read_record(folder))
    if not run.days:
        raise RunFolderError(f"{folder} has recorded no session: there is nothing to compare.")
    config = load_config(folder / "config.json").model_copy(update={"mode": "backtest"})
    with TemporaryDirectory() as made:
        store = store_of_record(folder, run, Path(made))
        days = list(run.days)
        config = config.with_days(days[0], days[-1])
        has = {name: (folder / name).is_dir() for name in _FRAMES}
        played = RunFolder(Path(made) / "run", config, keep_bars=has["bars"], keep_indicators=has["indicators"])
        has_played = _has_played_bars(run)
        observers = observer if has_played else None  # else it would be warned that no symbol had a bar
        try:
            SystemManager(config, store=store, mode=RecordedMode(run), observer=observers).run(played)
        except ProvisioningError:
            if has_played or not store.symbols():
                raise
        return _compared(folder, played.path, run)


def _has_played_bars(run: RecordedRun) -> bool:
    """Return whether a bar came in one of the sessions."""
    steps = (step for day in run.days.values() for step in day.past.steps)
    return any(bool(step.bars) for step in steps if isinstance(step, Played))


def store_of_record(folder: Path, run: RecordedRun, target: Path) -> BarStore:
    """Return a new store of the history of a live run and of the bars that came, which may be empty.

    Args:
        folder: The folder of the run.
        run: The record of the run.
        target: The folder in which the store is made.
    """
    place = target / "store"
    if (folder / "store").is_dir():  # there is none before history has come, or the first session is over
        shutil.copytree(folder / "store", place, ignore=shutil.ignore_patterns("*.lock"))
    store = BarStore.open_or_create(place)
    _write(store, run)
    return store


def _write(store: BarStore, run: RecordedRun) -> None:
    """Write the last version of all bars to a store."""
    by_series: dict[tuple[str, str], list[FeedBar]] = {}
    for bar in run.bars.values():
        by_series.setdefault((bar.symbol, bar.interval), []).append(bar)
    with store.writer() as writer:
        for (symbol, interval), bars in by_series.items():
            writer.write(symbol, interval, frame_of(bars))


def _compared(live: Path, backtest: Path, run: RecordedRun) -> Verification:
    found: list[Difference] = []
    lines = files = 0
    for name in _EVENTS:
        if (live / name).is_file() or (backtest / name).is_file():
            ours, theirs = _lines(live / name), _lines(backtest / name)
            lines += len(theirs)
            found += _first_line(name, ours, theirs, run)
    for kind in _FRAMES:
        for path in sorted((backtest / kind).rglob("*.parquet")):
            files += 1
            found += _first_row(path.relative_to(backtest), live, backtest, run)
    revisions = sum(len(day.revisions) for day in run.days.values())
    return Verification((lines, files), len(run.bars), revisions, tuple(found))


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        return []
    return [line.removesuffix("\n") for line in whole_lines(path)]


def _first_line(name: str, live: list[str], backtest: list[str], run: RecordedRun) -> Iterator[Difference]:
    for number in range(max(len(live), len(backtest))):
        ours, theirs = (lines[number] if number < len(lines) else "" for lines in (live, backtest))
        if ours != theirs:
            if not ours and _is_cut_short(run, theirs):
                return
            time = json.loads(ours or theirs).get("time", "")
            yield Difference(name, f"line {number + 1}", ours, theirs, time, _revision_before(run, time))
            return


def _is_cut_short(run: RecordedRun, line: str) -> bool:
    """Return whether a run was stopped or killed before it could write a line of its last time."""
    *_, last = run.days.values()
    time = json.loads(line).get("time")
    return not last.has_ended and time is not None and _ns(time) >= last.played_ns


def _first_row(name: Path, live: Path, backtest: Path, run: RecordedRun) -> Iterator[Difference]:
    if not (live / name).is_file():
        yield Difference(str(name), "the file", "", "is there")
        return
    ours, theirs = pl.read_parquet(live / name), pl.read_parquet(backtest / name)
    if ours.equals(theirs, null_equal=True):
        return
    if ours.columns != theirs.columns or len(ours) != len(theirs):
        revision = _revision_before(run, "")
        yield Difference(str(name), "rows and columns", _shape(ours), _shape(theirs), revision=revision)
        return
    for column in theirs.columns:
        differs = ours[column].ne_missing(theirs[column])
        if differs.any():
            row = int(differs.arg_max() or 0)
            time = f"{theirs['end'][row].isoformat()}"
            where = f"{column} in row {row + 1}"
            values = str(ours[column][row]), str(theirs[column][row])
            yield Difference(str(name), where, *values, time, _revision_before(run, ""))
            return


def _shape(frame: pl.DataFrame) -> str:
    return f"{len(frame)} rows of {', '.join(frame.columns)}"


def _revision_before(run: RecordedRun, time: str) -> str:
    """Return a text on the first late or corrected bar before a session time.

    Bars of any time count if the time is empty. The text is empty if there is none.
    """
    until_ns = _ns(time) if time else None
    for day in run.days.values():
        for played_ns, bar in day.revisions:
            # From its own time on, the live run used the bar as it was, or did without it.
            if until_ns is None or bar.start_ns <= until_ns:
                return f"{bar.symbol} {bar.interval} of {_utc(bar.start_ns)}, which came after {_utc(played_ns)}"
    return ""


def _ns(time: str) -> int:
    return round(datetime.fromisoformat(time).timestamp()) * 1_000_000_000


def _utc(time_ns: int) -> str:
    return f"{datetime.fromtimestamp(time_ns / 1e9, UTC):%Y-%m-%d %H:%M:%S} UTC"
