"""Many additions at once are the same as one after the other; only the reading is shared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from how_many import examples
from made_bars import made_store
from openbell.config import IndicatorConfig
from openbell.provisioning import Addition
from openbell.testing import advance
from probes import engine, prepared, scanner_at, visible

if TYPE_CHECKING:
    from pathlib import Path

CONFIGS = [
    IndicatorConfig("sma", period=20, interval="5m"),
    IndicatorConfig("rsi", period=14, interval="15m"),
    IndicatorConfig("vwap", interval="5m"),
    IndicatorConfig("sma", period=10, interval="1d"),
    IndicatorConfig("sma", period=5000, interval="5m"),
]
ADDITIONS = st.one_of(
    st.builds(
        lambda symbol, config: Addition("indicator", symbol, "scanner", details={"indicator_config": config}),
        st.sampled_from(["AIG", "BAC", "SPY", "NOPE"]),
        st.sampled_from(CONFIGS),
    ),
    st.builds(
        lambda symbol, interval, days: Addition("bar", symbol, "scanner", details={"interval": interval, "days": days}),
        st.sampled_from(["AIG", "BAC", "SPY", "NOPE"]),
        st.sampled_from(["5m", "1d", "30m", "5s"]),
        st.integers(0, 3),
    ),
    st.builds(lambda symbol: Addition("symbol", symbol, "strategy"), st.sampled_from(["AIG", "IBM", "NOPE"])),
)


def state(system: Any) -> dict[str, Any]:
    return {s: visible(system.session_data.get_symbol_data(s)) for s in sorted(system.session_data.symbols)}


@settings(max_examples=examples(15))
@given(additions=st.lists(ADDITIONS, max_size=8))
def test_a_batch_ends_as_the_same_additions_one_by_one(minute_store: Path, additions: list[Addition]) -> None:
    batch, loop = prepared(minute_store), prepared(minute_store)
    for system in (batch, loop):
        advance(system, "11:00")

    together = batch.coordinator.provisioner.provision(additions)
    one_by_one = [loop.coordinator.provisioner.provision([addition])[0] for addition in additions]

    assert together == one_by_one
    assert state(batch) == state(loop)
    assert len(batch.coordinator.journal) == len(loop.coordinator.journal)


def test_add_indicators_gives_what_the_loop_that_it_replaces_gives(minute_store: Path) -> None:
    """All at once reach back as far as the deepest: recursive values then agree to the settling tolerance."""
    symbols, configs = ["AIG", "NOPE", "BAC", "SPY"], CONFIGS[:4]
    done: dict[str, Any] = {}

    def at_once(context: Any) -> None:
        done["batch"] = {symbol: bool(added) for symbol, added in context.add_indicators(symbols, configs).items()}

    def by_loop(context: Any) -> None:
        results = {s: [context.add_indicator(s, c) for c in configs] for s in symbols}
        done["loop"] = {symbol: all(ok) for symbol, ok in results.items()}

    batch = engine(minute_store, scanners=[scanner_at("11:00", at_once)])
    loop = engine(minute_store, scanners=[scanner_at("11:00", by_loop)])
    batch.run()
    loop.run()

    assert done["batch"] == done["loop"] == {"AIG": True, "NOPE": False, "BAC": True, "SPY": True}
    assert batch.session_data.symbols == loop.session_data.symbols
    for symbol in batch.session_data.symbols:
        ours, theirs = (system.session_data.get_symbol_data(symbol) for system in (batch, loop))
        assert set(ours.bars) == set(theirs.bars)
        assert ours.owners == theirs.owners
        assert {key: i.value for key, i in ours.indicators.items()} == {
            key: pytest.approx(i.value, rel=1e-4) for key, i in theirs.indicators.items()
        }


def test_add_symbols_tells_per_symbol(minute_store: Path) -> None:
    done: list[Any] = []
    scan = scanner_at("11:00", lambda c: done.append(c.add_symbols(["AIG", "NOPE", "SPY", "AIG"])))
    engine(minute_store, scanners=[scan]).run()

    assert done == [{"AIG": True, "NOPE": False, "SPY": True}]


def test_an_empty_batch_is_nothing(minute_store: Path) -> None:
    system = prepared(minute_store)
    mark = len(system.coordinator.journal)

    assert system.coordinator.provisioner.provision([]) == []
    assert len(system.coordinator.journal) == mark


def test_symbols_of_the_same_times_are_located_in_their_sessions_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the bars that indicators read begin before those of the session."""
    from openbell.provisioning import indicator_values

    symbols = [f"S{n}" for n in range(5)]
    system = prepared(made_store(tmp_path, ["SPY", *symbols], "2024-06-03", "2024-06-10"), days="2024-06-10")
    located: list[int] = []
    locate = indicator_values.locate
    monkeypatch.setattr(indicator_values, "locate", lambda *args: located.append(1) or locate(*args))
    details = {"indicator_config": CONFIGS[0], "more": CONFIGS[2:3]}
    additions = [Addition("indicator", symbol, "scanner", details=details) for symbol in symbols]
    assert all(system.coordinator.provisioner.provision(additions))
    assert len(located) == 2  # one reads whole sessions, the other what it needs
