"""Whoever takes something back takes back only what nobody else needs; what is locked stays whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from how_many import examples
from openbell.config import IndicatorConfig
from openbell.testing import advance, probe_scanner, probe_strategy
from probes import engine, prepared, scanner_at, strategy_at, visible

if TYPE_CHECKING:
    from pathlib import Path

    from openbell.engine.system import SystemManager
    from openbell.provisioning import Provisioner

SMA5 = IndicatorConfig("sma", period=20, interval="5m")
SMA15 = IndicatorConfig("sma", period=5, interval="15m")
DAILY = IndicatorConfig("sma", period=10, interval="1d")


def held(system: SystemManager, symbol: str = "AIG") -> Any:
    return system.session_data.get_symbol_data(symbol)


def by(system: SystemManager, owner: str) -> dict[str, Any]:
    return {"source": owner.split(maxsplit=1)[0], "owner": owner}


@pytest.fixture
def system(minute_store: Path) -> SystemManager:
    return prepared(minute_store, trailing={"1m": 1}, indicators=[{"name": "rsi", "interval": "5m"}])


def test_only_what_the_owner_alone_needed_is_freed(system: SystemManager) -> None:
    p = system.coordinator.provisioner
    p.add_indicator("AIG", SMA5, **by(system, "scanner A"))
    p.add_indicator("AIG", SMA15, **by(system, "scanner B"))
    p.add_bar("AIG", "1d", days=3, **by(system, "scanner B"))
    kept = visible(held(system))["indicators"]["sma_20_5m"]

    assert p.remove_symbols(["AIG"], **by(system, "scanner B")) == [True]

    assert list(held(system).bars) == ["1m", "5m"]
    assert list(held(system).indicators) == ["sma_20_5m"]
    assert p.journal.records[-1].reason == "scanner B no longer needs it; it stays for scanner A"
    assert visible(held(system))["indicators"]["sma_20_5m"] == kept


def test_the_last_owner_takes_the_symbol_with_it(system: SystemManager) -> None:
    p = system.coordinator.provisioner
    for owner in ("scanner A", "scanner B"):
        p.add_indicator("AIG", SMA5, **by(system, owner))
    assert p.remove_symbols(["AIG"], **by(system, "scanner A")) == [True]
    assert held(system) is not None
    assert p.remove_symbols(["AIG"], **by(system, "scanner B")) == [True]

    assert held(system) is None
    assert system.session_data.symbols == ("SPY",)
    reasons = [record.reason for record in p.journal.records[-2:]]
    assert reasons == ["scanner A no longer needs it; it stays for scanner B", "scanner B no longer needs it"]
    assert p.remove_symbols(["AIG"], **by(system, "scanner B")) == [False]


def test_the_base_interval_is_that_of_the_bars_that_stay(system: SystemManager) -> None:
    p = system.coordinator.provisioner
    p.add_indicator("AIG", DAILY, **by(system, "scanner A"))
    assert held(system).base_interval == "1d"
    p.add_indicator("AIG", SMA5, **by(system, "scanner B"))
    assert held(system).base_interval == "1m"

    p.remove_symbols(["AIG"], **by(system, "scanner B"))

    assert list(held(system).bars) == ["1d"]
    assert held(system).base_interval == "1d"


def test_a_config_symbol_does_not_go_because_a_strategy_is_done_with_it(system: SystemManager) -> None:
    p = system.coordinator.provisioner
    before = visible(held(system, "SPY"))
    p.add_symbol("SPY", **by(system, "strategy A"))
    p.add_indicator("SPY", SMA15, **by(system, "strategy A"))

    assert p.remove_symbols(["SPY"], **by(system, "strategy A")) == [True]

    after = visible(held(system, "SPY"))
    for name in ("metadata", "owners", "base_interval"):
        assert after[name] == before[name]
    assert list(after["bars"]) == list(before["bars"])
    assert list(after["indicators"]) == list(before["indicators"])
    assert p.remove_symbols(["SPY"], **by(system, "strategy A")) == [False], "it has nothing of it any more"
    record = system.coordinator.journal.records[-1]
    assert (record.operation_type, record.ok) == ("remove", False)
    assert "config" in record.errors[0]


def test_a_full_symbol_that_only_an_indicator_still_needs_is_ad_hoc_again(system: SystemManager) -> None:
    p = system.coordinator.provisioner
    p.add_symbol("AIG", **by(system, "strategy A"))
    p.add_indicator("AIG", SMA15, **by(system, "scanner B"))
    p.remove_symbols(["AIG"], **by(system, "strategy A"))

    assert not held(system).meets_session_config_requirements
    assert "AIG" not in system.session_data.full_symbols
    assert list(held(system).indicators) == ["sma_5_15m"]
    assert list(held(system).bars) == ["1m", "15m"]
    advance(system, "16:00")
    assert {s.quality for s in held(system).bars.values()} == {None}, "an ad-hoc symbol is not scored"

    assert p.add_symbol("AIG", **by(system, "strategy A"))
    assert held(system).meets_session_config_requirements
    assert all(s.quality is not None for s in held(system).bars.values())


def test_what_is_locked_is_never_removed(system: SystemManager) -> None:
    p = system.coordinator.provisioner
    p.add_symbol("AIG", **by(system, "strategy A"))
    p.lock_symbol("AIG", reason="an open position", **by(system, "strategy A"))
    before = visible(held(system))
    for owner in ("strategy A", "config", "scanner B"):
        assert p.remove_symbols(["AIG"], **by(system, owner)) == [False]

    assert visible(held(system)) == before
    assert "an open position" in system.coordinator.journal.records[-1].errors[0]
    assert p.unlock_symbol("AIG", **by(system, "strategy A"))
    assert p.remove_symbols(["AIG"], **by(system, "strategy A")) == [True]
    assert held(system) is None


def test_a_lock_belongs_to_who_set_it(system: SystemManager) -> None:
    p = system.coordinator.provisioner
    p.add_symbol("AIG", **by(system, "strategy A"))
    p.lock_symbol("AIG", reason="100 of A", **by(system, "strategy A"))
    p.lock_symbol("AIG", reason="50 of B", **by(system, "strategy B"))
    assert held(system).locked == "100 of A; 50 of B"

    assert not p.unlock_symbol("AIG", **by(system, "strategy C"))
    record = system.coordinator.journal.records[-1]
    assert (record.operation_type, record.ok) == ("unlock", False)
    assert record.errors[0].startswith("strategy C holds no lock on AIG; it is locked by strategy A, strategy B")
    assert not system.coordinator.unlock_symbol("AIG", unlocked_by="scanner")
    assert p.unlock_symbol("AIG", **by(system, "strategy A"))
    assert not p.unlock_symbol("AIG", **by(system, "strategy A"))
    assert not p.remove_symbols(["AIG"], **by(system, "strategy A"))[0]
    assert "50 of B" in system.coordinator.journal.records[-1].errors[0]
    assert p.unlock_symbol("AIG", **by(system, "strategy B"))
    assert held(system).locked == ""
    assert p.remove_symbols(["AIG"], **by(system, "strategy A")) == [True]


def test_a_symbol_that_is_ad_hoc_again_speaks_of_who_still_needs_it(system: SystemManager) -> None:
    p = system.coordinator.provisioner
    p.add_symbol("AIG", **by(system, "strategy A"))
    p.add_indicator("AIG", SMA15, **by(system, "scanner B"))
    p.remove_symbols(["AIG"], **by(system, "strategy A"))

    assert held(system).metadata == {
        "meets_session_config_requirements": False,
        "added_by": "scanner",
        "auto_provisioned": True,
        "upgraded_from_adhoc": False,
        "reason": "scanner B still needs it",
    }


def test_a_lock_survives_an_upgrade(system: SystemManager) -> None:
    assert system.session_data.add_indicator_unified("AIG", SMA5)
    assert system.coordinator.lock_symbol("AIG", "watched")
    assert system.coordinator.add_symbol("AIG")
    assert held(system).locked == "watched"
    assert not system.coordinator.remove_symbol("AIG")


def test_locks_of_symbols_that_are_not_there(system: SystemManager) -> None:
    assert not system.coordinator.lock_symbol("NOPE")
    assert not system.coordinator.unlock_symbol("NOPE")
    assert not system.coordinator.remove_symbol("NOPE")
    assert "NOPE is not in the session" in system.coordinator.journal.records[-1].errors[0]


def test_the_coordinator_removes_what_it_added(system: SystemManager) -> None:
    assert system.coordinator.add_symbol("AIG")
    assert system.coordinator.remove_symbol("AIG")
    assert held(system) is None


def test_a_source_stands_for_all_of_its_kind(system: SystemManager) -> None:
    system.coordinator.provisioner.add_symbol("AIG", **by(system, "strategy A"))

    assert system.coordinator.remove_symbol("AIG", removed_by="strategy")
    assert system.session_data.get_symbol_data("AIG") is None


def test_components_own_what_they_add_by_themselves(minute_store: Path) -> None:
    seen: list[Any] = []

    def give_back(context: Any) -> None:
        seen.append(context.remove_symbol("AIG"))
        seen.append(context.session_data.symbols)

    day = engine(
        minute_store,
        scanners=[scanner_at("10:00", lambda c: c.add_indicator("AIG", SMA5)), scanner_at("11:00", give_back)],
        strategies=[strategy_at("10:30", lambda c: c.add_indicator("AIG", SMA15))],
    ).run()["days"][0]

    assert seen == [False, ("SPY", "AIG")], "the second scanner owns nothing of what the first one added"
    owners = [r["owner"] for r in day["provisioning"] if r["symbol"] == "AIG"]
    assert owners == ["scanner ProbeScanner", "strategy ProbeStrategy", "scanner ProbeScanner-2"]


def test_a_strategy_gets_no_bar_of_a_symbol_that_was_just_removed(minute_store: Path) -> None:
    got: list[tuple[str, str]] = []

    def on_bar(self: Any, bar: Any) -> None:
        got.append((f"{self.context.now:%H:%M}", bar.symbol))
        self.context.bars(bar.symbol, bar.interval)

    def scan(self: Any) -> None:
        at = f"{self.context.now:%H:%M}"
        if at == "09:30":
            assert self.context.add_symbol("AIG")
        else:  # and the strategy, which subscribes to it, needs it no longer either
            system.coordinator.provisioner.remove_symbols(["AIG"], source="strategy", owner="strategy ProbeStrategy")
            assert self.context.remove_symbol("AIG")

    system = engine(
        minute_store,
        scanners=[probe_scanner("10:00", pre_session=True, scan=scan)],
        strategies=[probe_strategy(subscriptions=lambda s: [(n, "5m") for n in s.context.symbols], on_bar=on_bar)],
    )
    day = system.run()["days"][0]

    assert max(at for at, symbol in got if symbol == "AIG") == "09:55"
    assert max(at for at, symbol in got if symbol == "SPY") == "16:00"
    assert day["callbacks"] == len(got)


OWNERS = ("scanner A", "scanner B", "strategy C")
SYMBOLS = ("AIG", "BAC", "SPY")
ACTIONS = st.tuples(
    st.sampled_from(["add_symbol", "sma5", "sma15", "daily", "bar", "remove", "lock", "unlock"]),
    st.sampled_from(SYMBOLS),
    st.sampled_from(OWNERS),
)


def act(p: Provisioner, action: str, symbol: str, owner: str) -> None:
    who = {"source": owner.split(maxsplit=1)[0], "owner": owner}
    configs = {"sma5": SMA5, "sma15": SMA15, "daily": DAILY}
    if action == "add_symbol":
        assert p.add_symbol(symbol, **who)
    elif action in configs:
        assert p.add_indicator(symbol, configs[action], **who)
    elif action == "bar":
        assert p.add_bar(symbol, "30m", days=1, **who)
    elif action == "remove":
        p.remove_symbols([symbol], **who)
    elif action == "lock":
        p.lock_symbol(symbol, reason="locked", **who)
    else:
        p.unlock_symbol(symbol, **who)


@settings(max_examples=examples(25))
@given(actions=st.lists(ACTIONS, max_size=12))
def test_whatever_happens_everything_that_is_there_has_an_owner_and_holds_together(
    minute_store: Path, actions: list[tuple[str, str, str]]
) -> None:
    system = prepared(minute_store, trailing={"1m": 1}, indicators=[{"name": "rsi", "interval": "5m"}])
    advance(system, "11:00")
    locked: set[tuple[str, str]] = set()
    for action, symbol, owner in actions:
        act(system.coordinator.provisioner, action, symbol, owner)
        if action == "lock" and held(system, symbol) is not None:
            locked.add((symbol, owner))
        if action == "unlock":
            locked.discard((symbol, owner))
        for name, data in system.session_data.current.items():
            assert data.owners
            assert set(data.owners) - {"*"} == {*data.bars, *data.indicators}
            assert all(data.owners.values())
            assert data.meets_session_config_requirements == ("*" in data.owners)
            assert all(s.symbol == name and s.interval == i for i, s in data.bars.items())
            assert all(i.series is data.bars[i.series.interval] for i in data.indicators.values())
            assert all(s.base is None or s.base in data.bars for s in data.bars.values() if s.interval != "30m")
            assert all(s.is_scored == data.meets_session_config_requirements for s in data.bars.values())
            assert all(i.valid for i in data.indicators.values())
        holders = {(name, who) for name, data in system.session_data.current.items() for who in data.locks}
        assert holders == locked
        assert "SPY" in system.session_data.full_symbols


def test_what_a_scanner_removes_names_the_strategy_that_still_holds_it(minute_store: Path) -> None:
    """By a subscription to AIG alone, so that its bars go on coming."""
    got: list[str] = []
    strategy = probe_strategy(
        subscriptions=[("AIG", "30m")], on_bar=lambda self, bar: got.append(f"{self.context.now:%H:%M}")
    )

    def scan(self: Any) -> None:
        change = self.context.remove_symbol if self.context.now.hour == 11 else self.context.add_symbol
        change("AIG")

    scanner = probe_scanner("10:00", "11:00", scan=scan)
    day = engine(minute_store, strategies=[strategy], scanners=[scanner]).run().days[0]

    (removal,) = [r for r in day.provisioning if r.operation_type == "remove"]
    assert (
        removal.reason == "scanner ProbeScanner no longer needs it; it stays for strategy ProbeStrategy (subscription)"
    )
    assert len(got) == 13
