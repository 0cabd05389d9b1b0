"""Folder of a run for its config, its events as they happen, and its results."""

from __future__ import annotations

import json
from contextlib import contextmanager
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from openbell.errors import ConfigError, RunFolderError, encodable
from openbell.model.events import ProvisioningRecord, StateEvent
from openbell.results.folder.as_json import event_line
from openbell.results.folder.event_files import EventFile, event_lines
from openbell.results.folder.journal_lines import journal_lines, opened_lines
from openbell.results.folder.symbol_frames import symbol_frames
from openbell.results.wide_sessions import is_wide
from openbell.session.frame import indicator_columns
from openbell.store.atomic_files import written_whole
from openbell.timing.clock import wall_stamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from openbell.config import SessionConfig
    from openbell.model.events import Event
    from openbell.model.json_object import JsonObject
    from openbell.results.result import RunResult
    from openbell.session import SessionData

__all__ = ["RunFolder", "repeatable", "require_no_run"]

# By name, so that a run without orders does not load their classes.
_EVENT_FILES = {"ProvisioningRecord": "journal.jsonl", "ScanEvent": "scans.jsonl", "SignalEvent": "signals.jsonl"}
_TRADING_FILES = {"Order": "orders.jsonl", "Fill": "fills.jsonl", "CashFlow": "cash.jsonl"}
"""Only in the folders of runs that trade."""
_RARE_FILES = {"StateEvent": "state.jsonl"}
"""Only in the folders of runs that have such events."""


class RunFolder:
    """A new folder for one run.

    Attributes:
        path: The folder.

    Args:
        path: The folder; it is created, and must not hold a run already.
        config: The config, which is written as resolved.
        keep_bars: Whether the bars of every session are written, too, as Parquet.
        keep_indicators: Whether the indicators of every session are written, too, as Parquet.
        small: Whether events and the summary are left out, so that config, signals and trades remain.
        goes_on: Whether it is the folder of a run that goes on after it was killed, whose events are compared with
            those that are there already.

    Raises:
        ConfigError: The folder holds a run already, or cannot be written.
    """

    def __init__(
        self,
        path: Path | str,
        config: SessionConfig,
        *,
        keep_bars: bool = False,
        keep_indicators: bool = False,
        small: bool = False,
        goes_on: bool = False,
    ) -> None:
        self.path = path = Path(path)
        self._goes_on = goes_on
        self._is_small = small
        self._keep_bars = keep_bars
        self._keep_indicators = keep_indicators
        files = _EVENT_FILES if config.execution is None else {**_EVENT_FILES, **_TRADING_FILES}
        try:
            path.mkdir(parents=True, exist_ok=not small)
            self._files = {kind: EventFile(path / name, goes_on=goes_on) for kind, name in files.items() if not small}
        except FileExistsError:
            raise _taken(path) from None
        except OSError as error:
            raise ConfigError(f"cannot write the run folder {path}: {error.strerror or error}.") from error
        self._write_json("config.json", repeatable(config))

    @property
    def keeps_bars(self) -> bool:
        """Whether bars or indicators of sessions are written."""
        return self._keep_bars or self._keep_indicators

    @staticmethod
    def default_path(session_name: str) -> Path:
        """Return ``runs/<session>-<time>`` below the current folder, with the machine's time in UTC."""
        return Path("runs") / f"{session_name.replace(' ', '_')}-{wall_stamp()}"

    @staticmethod
    def read_journal(folder: Path | str) -> Iterator[JsonObject]:
        """Iterate over the journal of a run, one object per addition or removal of a symbol.

        The last line of a run that was killed may be a part of one, and is left out.

        Args:
            folder: The folder of the run, which may go on.

        Raises:
            RunFolderError: The journal cannot be read.
        """
        path = Path(folder) / "journal.jsonl"
        try:
            yield from opened_lines(event_lines(path))
        except (OSError, ValueError) as error:
            raise RunFolderError(f"cannot read {path}: {error}.") from error

    def write_events(self, events: Sequence[Event]) -> None:
        """Append the events of one batch, with one write per file.

        A process that is killed afterwards loses none of them; one that is killed within the write may leave a part of
        a line at the end. The states of strategies are in the batch's last line of ``orders.jsonl`` as well, so that
        they are never without the orders of their batch when a process is killed between two files.

        Raises:
            RunFolderError: The folder cannot be written, or the events differ from those before the run was killed.
        """
        if self._is_small:
            return
        lines: dict[str, list[str]] = {}
        records = [event for event in events if isinstance(event, ProvisioningRecord)]
        if records:
            lines["ProvisioningRecord"] = list(journal_lines(records))
        for event in events:
            if not isinstance(event, ProvisioningRecord):
                lines.setdefault(type(event).__name__, []).append(event_line(event))
        if "Order" in lines and "StateEvent" in lines:
            states = [event for event in events if isinstance(event, StateEvent)]
            lines["Order"].append(_with_states(lines["Order"].pop(), states))
        for kind, texts in lines.items():
            if kind not in self._files:
                with _writing(self.path / _RARE_FILES[kind]):
                    self._files[kind] = EventFile(self.path / _RARE_FILES[kind], goes_on=self._goes_on)
            with _writing(self._files[kind].path):
                self._files[kind].write(texts)

    def keep_day(self, session_data: SessionData) -> None:
        """Write a session's bars and indicators if asked for, one file per symbol and interval.

        Raises:
            RunFolderError: The folder cannot be written.
        """
        if not self.keeps_bars:
            return
        day = session_data.session_date.isoformat()
        for symbol in session_data.symbols:
            data = session_data.get_symbol_data(symbol)
            for interval, series in data.bars.items() if data else ():
                name = f"{symbol.replace('/', '%2F')}_{interval}.parquet"
                if self._keep_bars:
                    self._write_frame(Path("bars") / day / name, series.to_polars())
                columns = indicator_columns(series, data.indicators if data else {})
                if self._keep_indicators and columns:
                    frame = series.to_polars().select("timestamp", "end").with_columns(pl.DataFrame(columns))
                    self._write_frame(Path("indicators") / day / name, frame)

    def finish(self, result: RunResult) -> None:
        """Write signals, trading and the summary of the sessions that are over, and close the files.

        Of sessions with more symbols than the summary holds, all facts about symbols are written as well.

        Raises:
            RunFolderError: The folder cannot be written.
        """
        self.close()
        self._write_frame(Path("signals.parquet"), _signal_frame(result))
        if result.trading is not None:
            for name, frame in _trading_frames(result):
                if not self._is_small or name == "trades.parquet":
                    self._write_frame(Path(name), frame)
        if self._is_small:
            return
        if any(map(is_wide, result.days)):
            for name, frame in symbol_frames(result.days):
                self._write_frame(Path(name), frame)
        self._write_json("summary.json", result.to_dict())

    def close(self) -> None:
        """Close the files of events, as `finish` does for a run that has begun."""
        for file in self._files.values():
            file.close()

    def _write_frame(self, name: Path, frame: pl.DataFrame) -> None:
        target = self.path / name
        with _writing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            with written_whole(target) as unfinished:
                frame.write_parquet(unfinished)

    def _write_json(self, name: str, value: Mapping[str, Any]) -> None:
        with _writing(self.path / name), written_whole(self.path / name) as unfinished:
            unfinished.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def require_no_run(folder: Path) -> None:
    """Raise when a folder holds a run.

    Raises:
        ConfigError: The folder holds a run.
    """
    if (folder / _EVENT_FILES["ProvisioningRecord"]).exists():
        raise _taken(folder)


def _taken(path: Path) -> ConfigError:
    held = "holds a run already" if path.is_dir() else "is a file"
    return ConfigError(f"{path} {held}. Name another folder for the run with --out.")


def _with_states(order_line: str, states: Iterable[StateEvent]) -> str:
    """Return the line of an order with the states of strategies that belong to the same batch."""
    texts = ", ".join(f"{json.dumps(event.strategy)}: {event.state}" for event in states)
    return f'{order_line[:-1]}, "states": {{{texts}}}}}'


@contextmanager
def _writing(path: object) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RunFolderError(f"cannot write {path}: {error.strerror or error}.") from error
    except pl.exceptions.ComputeError as error:  # what polars makes of an OSError
        raise RunFolderError(f"cannot write {path}: {error}.") from error


def _trading_frames(result: RunResult) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield the frames of a run's trading with the names of their files."""
    # Imported here, because a run that does not trade needs none of these.
    from openbell.results.folder import trading_frames as frames
    from openbell.results.measures.equity import equity_frame

    traded = [(day.date, day.trading) for day in result.days if day.trading is not None]
    sessions = [trading for _, trading in traded]
    orders = {order.id: order for trading in sessions for order in trading.orders}
    yield "orders.parquet", frames.order_frame(list(orders.values()))
    yield "fills.parquet", frames.fill_frame([fill for trading in sessions for fill in trading.fills])
    yield "trades.parquet", frames.trade_frame([trade for trading in sessions for trade in trading.trades])
    yield "cash.parquet", frames.flow_frame([flow for trading in sessions for flow in trading.flows])
    start = sessions[0].start_equity if sessions else 0.0
    yield "equity.parquet", equity_frame(start, [day for day, _ in traded], [trading.equity for trading in sessions])


def _signal_frame(result: RunResult) -> pl.DataFrame:
    signals = [signal for day in result.days for signal in day.signals]
    return pl.DataFrame(
        {
            "date": pl.Series([signal.session_date for signal in signals], dtype=pl.Date),
            "time": pl.Series([signal.time_ns // 1000 * 1000 for signal in signals], dtype=pl.Int64).cast(
                pl.Datetime("ns", "UTC")
            ),
            **{
                name: pl.Series(_encodable(list(map(attrgetter(name), signals))), dtype=pl.String)
                for name in ("symbol", "action", "reason", "strategy")
            },
        }
    )


def _encodable(texts: list[str]) -> list[str]:
    """Return texts with escapes for what a file cannot hold, where most texts come many times."""
    known = {text: encodable(text) for text in set(texts)}
    return [known[text] for text in texts]


def repeatable(config: SessionConfig) -> JsonObject:
    """Return the resolved config with full paths of all files, to run from any folder."""
    values = config.resolved()
    folder = config.folder.resolve()
    for component in (*values["scanners"], *values["strategies"]):
        place, _, name = component["module"].rpartition(":")
        if place.endswith(".py"):
            component["module"] = f"{folder / Path(place).expanduser()}:{name}"
        if isinstance(component.get("universe"), str):
            component["universe"] = str(folder / Path(component["universe"]).expanduser())
    return values
