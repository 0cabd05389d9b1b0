"""How a session streams: who owns what is subscribed to, and what a change of the session leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from openbell.components.loading import load_class
from openbell.components.strategy import Strategy
from openbell.config import load_config
from openbell.engine.dispatcher import Dispatcher
from openbell.engine.observer import SessionObserver
from openbell.engine.subscriptions import Subscriptions
from openbell.engine.system import SystemManager
from openbell.errors import ComponentError
from openbell.testing import probe_scanner, probe_strategy
from probes import config_of, engine, local_time

if TYPE_CHECKING:
    from pathlib import Path


def comes_and_goes(*, days: int = 0) -> dict[str, Any]:
    """A scanner that adds BAC at 10:30 and gives it back at 11:00."""

    def scan(self: Any) -> None:
        if local_time(self.context) == "10:30":
            self.context.add_bar("BAC", "5m", days=days)
        else:
            self.context.remove_symbol("BAC")

    return probe_scanner("10:30", "11:00", scan=scan)


def all_5m(self: Any) -> list[tuple[str, str]]:
    return [(symbol, "5m") for symbol in self.context.session_data.symbols]


class TestSubscriptionsAreNeeds:
    def test_a_series_that_was_there_stays_when_who_brought_it_gives_it_back(self, minute_store: Path) -> None:
        times: list[str] = []

        def on_bar(self: Any, bar: Any) -> None:
            if bar.symbol == "BAC":
                times.append(local_time(self.context))

        probe = probe_strategy(subscriptions=all_5m, on_bar=on_bar)
        system = engine(minute_store, scanners=[comes_and_goes(days=2)], strategies=[probe])
        system.run()

        assert times[0] == "10:35"
        assert times[-1] == "16:00"
        owners = system.session_data.get_symbol_data("BAC").owners["5m"]  # type: ignore[union-attr]
        assert [owner.name for owner in owners] == ["strategy ProbeStrategy"]

    def test_they_are_asked_for_once(self, minute_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[int] = []
        resolve = Subscriptions.resolve
        monkeypatch.setattr(Subscriptions, "resolve", lambda self: asked.append(1) or resolve(self))
        probe = probe_strategy(subscriptions=[("SPY", "5m")], on_bar=lambda self, bar: None)
        engine(minute_store, strategies=[probe]).run()
        assert len(asked) == 1

    def test_others_failures_are_not_the_subscriptions(
        self, minute_store: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As another thread does it: its record comes between the subscription's."""
        from openbell.provisioning import Provisioner

        provision = Provisioner.provision

        def with_another(self: Provisioner, additions: Any) -> list[bool]:
            monkeypatch.setattr(Provisioner, "provision", provision)
            self.add_symbol("NOPE", source="strategy", owner="strategy ProbeStrategy")
            monkeypatch.setattr(Provisioner, "provision", with_another)
            return provision(self, additions)

        monkeypatch.setattr(Provisioner, "provision", with_another)
        good = probe_strategy(subscriptions=[("AIG", "5m")], on_bar=lambda self, bar: None)
        assert engine(minute_store, strategies=[good]).run()["days"][0]["callbacks"] == 78

        bad = probe_strategy(subscriptions=[("AIG", "5m"), ("NONE", "5m")], on_bar=lambda self, bar: None)
        with pytest.raises(ComponentError, match="NONE 5m"):
            engine(minute_store, strategies=[bad]).run()


class TestChanges:
    def test_a_lock_changes_no_timetable(self, minute_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[int] = []
        resolve = Subscriptions.resolve
        monkeypatch.setattr(Subscriptions, "resolve", lambda self: asked.append(1) or resolve(self))
        probe = probe_strategy(
            subscriptions=[("SPY", "1m")], on_bar=lambda self, bar: self.context.lock_symbol("SPY", "held") and None
        )
        assert engine(minute_store, strategies=[probe]).run()["days"][0]["callbacks"] == 390
        assert len(asked) == 1

    def test_an_upgrade_that_brings_no_series_is_announced(self, minute_store: Path) -> None:
        added: list[str] = []
        probe = probe_strategy(
            on_symbol_added=lambda self, symbol: added.append(f"{symbol} {local_time(self.context)}")
        )

        def scan(self: Any) -> None:
            if local_time(self.context) == "10:30":
                self.context.add_bar("BAC", "5m")
            else:
                self.context.add_symbol("BAC")

        engine(minute_store, scanners=[probe_scanner("10:30", "11:00", scan=scan)], strategies=[probe]).run()
        assert added == ["BAC 11:00"]

    def test_strategies_hear_of_new_symbols_when_all_scanners_are_done(self, minute_store: Path) -> None:
        calls: list[str] = []

        def add(symbol: str) -> Any:
            return lambda self: calls.append(f"scan {symbol}") or (self.context.add_symbol(symbol) and ())

        scanners = [probe_scanner("10:30", scan=add("AIG")), probe_scanner("10:30", scan=add("BAC"))]
        probe = probe_strategy(on_symbol_added=lambda self, symbol: calls.append(symbol))
        engine(minute_store, scanners=scanners, strategies=[probe]).run()
        assert calls == ["scan AIG", "scan BAC", "AIG", "BAC"]

    def test_subscriptions_that_change_the_session_each_time_hold_nothing_up(self, minute_store: Path) -> None:
        asked: list[int] = []

        def pairs(self: Any) -> list[tuple[str, str]]:
            asked.append(1)
            assert len(asked) < 1000, "it goes round in circles"
            self.context.remove_symbol("BAC")
            self.context.add_bar("BAC", "1m")
            return [("SPY", "1m")]

        probe = probe_strategy(subscriptions=pairs, on_bar=lambda self, bar: None)
        assert engine(minute_store, strategies=[probe]).run()["days"][0]["callbacks"] == 390

    def test_what_goes_while_subscriptions_are_asked_for_gives_no_bar(self, minute_store: Path) -> None:
        """As another thread does it."""
        bars: list[str] = []

        def pairs(self: Any) -> list[tuple[str, str]]:
            if not bars and local_time(self.context) == "09:30":
                provisioner = system.coordinator.provisioner
                provisioner.remove_symbols(["AIG"], source="strategy", owner="strategy ProbeStrategy")
                bars.append("gone")
            return []

        first = probe_strategy(
            subscriptions=lambda self: [] if bars else [("AIG", "1m")], on_bar=lambda self, bar: bars.append(bar.symbol)
        )
        second = probe_strategy(subscriptions=pairs, on_bar=lambda self, bar: None)
        system = engine(minute_store, strategies=[first, second])
        system.run()
        assert bars == ["gone"]

    def test_a_symbol_removed_at_this_moment_is_in_no_cross_section(self, minute_store: Path) -> None:
        seen: dict[str, list[str]] = {}

        def on_slice(self: Any, bars: Any) -> None:
            seen[local_time(self.context)] = bars.symbols
            assert len(bars.close) == len(bars.symbols)

        def scan(self: Any) -> None:
            if local_time(self.context) == "11:00":
                # Everybody gives it back.
                for owner in ("strategy SliceProbeStrategy", "scanner"):
                    system.coordinator.provisioner.remove_symbols(["BAC"], source="strategy", owner=owner)
            else:
                self.context.add_bar("BAC", "5m")

        probe = probe_strategy(subscriptions=all_5m, on_slice=on_slice)
        scanner = probe_scanner("10:30", "11:00", scan=scan)
        system = engine(minute_store, scanners=[scanner], strategies=[probe])
        system.run()
        assert seen["10:55"] == ["BAC", "SPY"]
        assert seen["11:00"] == ["SPY"]
        assert seen["11:05"] == ["SPY"]


class Watching(SessionObserver):
    """Notes the progress of sessions."""

    def __init__(self) -> None:
        self.shares: list[float] = []

    def advanced(self, share: float) -> None:
        self.shares.append(share)


class TestObserver:
    def run(self, store: Path, observer: SessionObserver) -> None:
        probe = probe_strategy(subscriptions=[("SPY", "1m")], on_bar=lambda self, bar: None)
        SystemManager(load_config(config_of(strategies=[probe])), store=store, observer=observer).run()

    def test_is_notified_of_the_end(self, minute_store: Path) -> None:
        observer = Watching()
        self.run(minute_store, observer)
        assert observer.shares[-1] == 1.0

    def test_is_notified_of_progress_when_only_scans_are_due(self, minute_store: Path) -> None:
        observer = Watching()
        config = config_of(scanners=[probe_scanner("10:00", "12:00", scan=lambda self: ())])
        SystemManager(load_config(config), store=minute_store, observer=observer).run()
        assert observer.shares == sorted(observer.shares)
        assert any(0 < share < 1 for share in observer.shares)


def test_what_a_generator_of_signals_raised_is_the_cause(minute_store: Path) -> None:
    def on_bar(self: Any, bar: Any) -> Any:
        yield from ()
        raise ValueError("no idea")

    probe = probe_strategy(subscriptions=[("SPY", "1m")], on_bar=on_bar)
    with pytest.raises(ComponentError, match=r"strategy ProbeStrategy.on_bar.*no idea") as raised:
        engine(minute_store, strategies=[probe]).run()
    assert isinstance(raised.value.__cause__, ValueError)


def test_a_second_run_is_timed_by_itself(minute_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system = engine(minute_store)
    before: list[float] = []
    play = Dispatcher.play

    def noting(self: Dispatcher) -> int:
        before.append(system.coordinator.run_s)
        return play(self)

    monkeypatch.setattr(Dispatcher, "play", noting)
    system.run()
    system.run()
    assert before == [0.0, 0.0]


def test_each_config_folder_has_helpers_of_its_own(tmp_path: Path) -> None:
    numbers = []
    for number in (1, 2):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "own_helpers_of_a_folder.py").write_text(f"N = {number}\n")
        text = "from openbell import Strategy\nimport own_helpers_of_a_folder as o\nclass S(Strategy):\n    N = o.N\n"
        (folder / "s.py").write_text(text)
        numbers.append(load_class("s.py:S", Strategy, folder).N)  # type: ignore[attr-defined]
    assert numbers == [1, 2]
