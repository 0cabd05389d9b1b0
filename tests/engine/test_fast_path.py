"""The fast path delivers what the dispatcher delivers batch by batch, whatever strategies do meanwhile."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from openbell.components.strategy import Signal
from openbell.engine.fast_path import BarRun
from openbell.engine.observer import SessionObserver
from openbell.engine.system import SystemManager
from openbell.engine.timetable import Timetable
from openbell.testing import probe_strategy
from probes import config_of, local_time

if TYPE_CHECKING:
    from pathlib import Path

    from openbell.engine.event_batch import Batches
    from openbell.model.events import ProvisioningRecord, SignalEvent

SYMBOLS = ("SPY", "AIG", "BAC")


class Watching(SessionObserver):
    """Notes the events of batches in the order in which they are finished."""

    def __init__(self, log: list[Any]) -> None:
        self.log = log

    def signalled(self, signal: SignalEvent) -> None:
        self.log.append(("signal", signal.time_ns, signal.symbol, signal.strategy))

    def provisioned(self, record: ProvisioningRecord) -> None:
        self.log.append((record.operation_type, record.time_ns, record.symbol, record.ok))


def unruly(log: list[Any], seed: int, intervals: tuple[str, ...]) -> dict[str, Any]:
    """A strategy that signals, adds, removes and locks symbols now and then."""
    random = Random(seed)

    def on_bar(self: Any, bar: Any) -> Any:
        close = self.context.bars(bar.symbol, bar.interval).close
        log.append((seed, local_time(self.context), bar.symbol, bar.interval, bar.close, close[-1], len(close)))
        act, symbol = random.randrange(60), random.choice(SYMBOLS[1:])
        if act == 0:
            self.context.add_symbol(symbol)
        elif act == 1:
            self.context.remove_symbol(symbol)
        elif act == 2:
            self.context.lock_symbol(symbol)
        elif act == 3:
            self.context.unlock_symbol(symbol)
        elif act == 4:
            self.context.add_symbol("NOPE")
        return Signal(bar.symbol, "BUY") if act > 56 else None

    def pairs(self: Any) -> list[tuple[str, str]]:
        return [(symbol, interval) for symbol in self.context.symbols for interval in intervals]

    return probe_strategy(subscriptions=pairs, on_bar=on_bar)


def log_of_run(store: Path, seed: int, intervals: tuple[str, ...]) -> list[Any]:
    log: list[Any] = []
    strategies = [unruly(log, seed, intervals), unruly(log, seed + 1000, intervals)]
    config = config_of(symbols=SYMBOLS, streams=("1m", "5m"), strategies=strategies)
    summary = SystemManager(config, store=store, observer=Watching(log)).run()
    return [*log, summary["days"][0]["callbacks"], summary["days"][0]["signals"]]


@pytest.mark.parametrize("intervals", [("1m",), ("1m", "5m")])
@pytest.mark.parametrize("seed", range(3))
def test_it_changes_nothing(
    minute_store: Path, monkeypatch: pytest.MonkeyPatch, seed: int, intervals: tuple[str, ...]
) -> None:
    quick = log_of_run(minute_store, seed, intervals)
    batches_after, runs = Timetable.batches_after, []

    def one_by_one(batches: Batches) -> Batches:
        for batch in batches:
            if isinstance(batch, BarRun):
                runs.append(batch)
                yield from iter(batch.next_batch, None)
            else:
                yield batch

    # What is subscribed is asked for when the batches are made, not when the first is taken.
    monkeypatch.setattr(Timetable, "batches_after", lambda self, time_ns: one_by_one(batches_after(self, time_ns)))
    assert log_of_run(minute_store, seed, intervals) == quick
    assert runs or len(intervals) > 1, "all symbols have the same times: their bars are runs"
