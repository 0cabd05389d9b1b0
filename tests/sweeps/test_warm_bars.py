"""Runs that share bars are, to the bit, what they are alone, whatever ran before and whatever changes meanwhile."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from made_bars import made_store
from openbell import SystemManager, load_config
from openbell.errors import ProvisioningError
from openbell.importers.actions_csv import import_actions_csv
from openbell.provisioning.validation import RULES
from openbell.sweeps.shared_bars import SharedBars
from openbell.testing import probe_strategy
from probes import config_of, visible

if TYPE_CHECKING:
    from pathlib import Path

    from openbell.provisioning.context import ProvisioningContext
    from openbell.provisioning.validation import Evidence

DAYS = ("2024-06-10", "2024-06-12")
SYMBOLS = ("AAA", "BBB", "CCC", "DDD")
HOLE = 1_718_026_200_000_000_000  # 2024-06-10 13:30 UTC


def holds(symbol: str, interval: str, start_ns: int) -> bool:
    """DDD lacks half an hour of a session, and its first days; CCC a minute now and then."""
    if symbol == "DDD" and interval == "1m":
        return start_ns > HOLE - 4 * 86_400_000_000_000 and not 0 <= start_ns - HOLE < 1_800_000_000_000
    return symbol != "CCC" or start_ns // 60_000_000_000 % 97 != 0


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_store(tmp_path_factory.mktemp("warm") / "store", SYMBOLS, "2024-05-28", "2024-06-14", keep=holds)


def without_timing(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: without_timing(v) for k, v in value.items() if k not in ("timing", "ms")}
    return [without_timing(item) for item in value] if isinstance(value, list) else value


def outcome(config: dict[str, Any], store: Path, bars: SharedBars | None = None) -> Any:
    """All that a run comes to: its summary and journal, and what its last session shows, or why it failed."""
    loaded = load_config(config)
    manager = None if bars is None else bars.of(loaded)
    system = SystemManager(loaded, data_manager=manager, store=store if bars is None else None)
    try:
        result = system.run()
    except ProvisioningError as error:
        return str(error)
    journal = [
        (r.time_ns, r.operation_type, r.symbol, r.owner, r.required_intervals, r.asked, [s.name for s in r.steps], r.ok,
         r.errors, r.warnings, r.reason)
        for r in system.coordinator.journal
    ]  # fmt: skip
    held = {symbol: visible(data) for symbol, data in system.session_data.current.items()}
    return without_timing(result.to_dict()), journal, held


def grown(fast: int, slow: int, **more: Any) -> dict[str, Any]:
    """A config whose strategy deepens a history and adds a symbol while a session runs."""

    def setup(self: Any) -> None:
        self.context.add_bar("AAA", "15m", bars=slow)

    def on_bar(self: Any, bar: Any) -> None:
        if f"{self.context.now:%H:%M}" == "11:00":
            self.context.add_symbol("CCC")
            self.context.add_bar("BBB", "1m", days=1)

    strategy = probe_strategy(subscriptions=[("AAA", "5m")], setup=setup, on_bar=on_bar)
    indicators = [
        {"name": "ema", "period": fast, "interval": "5m"},
        {"name": "sma", "period": slow, "interval": "5m"},
        {"name": "vwap", "interval": "5m"},
    ]
    asked = {"symbols": ("AAA", "BBB", "DDD"), "days": DAYS, "indicators": indicators, "strategies": [strategy]}
    return config_of(**(asked | more))


CONFIGS = st.fixed_dictionaries(
    {"fast": st.integers(2, 9), "slow": st.integers(10, 60)},
    optional={
        "trailing": st.sampled_from([{"1m": 1}, {"5m": 3}, {"1d": 5}, {"30m": 2, "1d": 2}, {"5m": 12}]),
        "gap_policy": st.sampled_from(["forward", "none"]),
        "indicators_see_filled": st.booleans(),
        "on_shortfall": st.sampled_from(["warm", "reject"]),
        "min_quality": st.sampled_from([0, 99.5, 100]),
        "symbols": st.sampled_from([SYMBOLS, ("CCC", "AAA"), ("BBB", "NONE"), ("DDD",)]),
        "settling_tolerance": st.sampled_from([1e-2, 1e-4]),
        "adjustment": st.sampled_from(["raw", "split"]),
        "days": st.sampled_from([DAYS, "2024-06-11", "2024-06-05"]),
    },
)


def require_equal(store: Path, configs: list[dict[str, Any]]) -> None:
    bars = SharedBars(store, date(2024, 6, 14))
    for config in configs:
        assert outcome(grown(**config), store, bars) == outcome(grown(**config), store)


def test_a_run_after_others_is_as_alone(store: Path) -> None:
    require_equal(store, [
        {"fast": 3, "slow": 20}, {"fast": 3, "slow": 20}, {"fast": 4, "slow": 50, "gap_policy": "forward"},
        {"fast": 4, "slow": 20, "symbols": ("DDD", "AAA", "NONE"), "on_shortfall": "warm"},
    ])  # fmt: skip


def test_own_sessions_of_one_name_that_differ_share_nothing(store: Path) -> None:
    own = [
        {"name": "MINE", "like": "XNYS"},
        {"name": "MINE", "like": "XNYS", "open": "09:30", "close": "13:00"},
        {"name": "MINE", "like": "XNYS", "holidays": ["2024-06-11"]},
    ]
    require_equal(store, [{"fast": 3, "slow": 20, "exchange": exchange} for exchange in own])


@pytest.mark.long
@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(configs=st.lists(CONFIGS, min_size=3, max_size=5))
def test_any_run_after_any_others_is_as_alone(store: Path, configs: list[dict[str, Any]]) -> None:
    require_equal(store, [*configs, configs[0]])


def test_what_is_imported_or_declared_meanwhile_is_there(tmp_path: Path) -> None:
    store = made_store(tmp_path / "store", ["AAA", "BBB"], "2024-06-03", "2024-06-12")
    bars = SharedBars(store, date(2024, 6, 12))
    config = grown(3, 40, symbols=("AAA", "BBB", "DDD"), trailing={"1d": 8})
    before = outcome(config, store, bars)

    made_store(store, ["DDD", "CCC"], "2024-05-28", "2024-06-12")
    imported = outcome(config, store, bars)
    assert imported == outcome(config, store)

    (tmp_path / "actions.csv").write_text("symbol,ex_date,type,value\nAAA,2024-06-11,split,2\n")
    import_actions_csv(tmp_path / "actions.csv", store)
    declared = outcome(config, store, bars)
    assert declared == outcome(config, store)

    made_store(store, ["AAA"], "2024-05-20", "2024-05-31")
    deeper = outcome(config, store, bars)
    assert deeper == outcome(config, store)
    assert len({str(one) for one in (before, imported, declared, deeper)}) == 4, "each is of another store"


def test_rules_of_users_are_asked_about_every_symbol_of_every_run(store: Path) -> None:
    asked: list[str] = []

    def third_time(evidence: Evidence, context: ProvisioningContext) -> str | None:
        asked.append(f"{context.day} {evidence.symbol}")
        return "enough" if asked.count(asked[-1]) > 2 else None

    bars = SharedBars(store, date(2024, 6, 14))
    config = config_of(symbols=("AAA", "BBB"), days="2024-06-11")
    with RULES.temporarily("third_time", third_time):
        for _ in range(2):
            result, *_ = outcome(config, store, bars)
            assert set(result["days"][0]["symbols"]) == {"AAA", "BBB"}
        assert "enough" in outcome(config, store, bars)
    assert asked == ["2024-06-11 AAA", "2024-06-11 BBB"] * 3
