"""Validation knows what the session clock knows: what comes later changes no outcome, no error and no warning."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import cycle
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from how_many import examples
from made_bars import made_store
from openbell.config import IndicatorConfig
from openbell.errors import ProvisioningError
from openbell.provisioning import Addition
from openbell.store.store import BarStore
from openbell.testing import advance, probe_strategy
from openbell.timing import TimeManager
from probes import engine, journal, prepared, strategy_at

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from openbell.engine.system import SystemManager

DAY = date(2024, 6, 10)
NEW_YORK = TimeManager("XNYS")
CLOCKS = ("09:30", "09:32", "10:00", "12:45", "15:59")

ADDITIONS: list[tuple[str, dict[str, Any]]] = [
    ("symbol", {}),
    ("bar", {"interval": "1m"}),
    ("bar", {"interval": "15m", "days": 3}),
    ("bar", {"interval": "1d", "days": 4}),
    ("bar", {"interval": "1w", "days": 12}),
    ("indicator", {"indicator_config": IndicatorConfig("sma", period=30, interval="5m")}),
    ("indicator", {"indicator_config": IndicatorConfig("ema", period=9, interval="1m")}),
    ("indicator", {"indicator_config": IndicatorConfig("vwap", interval="5m")}),
    ("indicator", {"indicator_config": IndicatorConfig("obv", interval="15m")}),
    ("indicator", {"indicator_config": IndicatorConfig("prior_day", interval="1m")}),
    ("indicator", {"indicator_config": IndicatorConfig("atr", period=5, interval="1d")}),
]


def outcomes(store: Path, names: list[str], clock: str, **keys: Any) -> list[tuple[Any, ...]]:
    """What comes of every kind of addition at a time of the day: planned by itself, then one after the other."""
    system = prepared(store, **keys)
    advance(system, clock)
    provisioner = system.coordinator.provisioner
    additions = [Addition(kind, name, "strategy", details=details) for name in names for kind, details in ADDITIONS]
    plans = [provisioner.plan([addition])[0] for addition in additions]
    found: list[tuple[Any, ...]] = [
        (plan.addition, texts(plan.proof.errors, store), texts(plan.proof.warnings, store)) for plan in plans
    ]
    found.append(tuple(provisioner.provision(additions)))
    return [*found, *((r.symbol, texts(r.errors, store), texts(r.warnings, store)) for r in provisioner.journal)]


def texts(lines: tuple[str, ...], store: Path) -> list[str]:
    return [line.replace(str(store), "STORE") for line in lines]


def changed(store: Path, target: Path, change: Callable[[str, pl.DataFrame], pl.DataFrame]) -> Path:
    """A copy of a store with other bars."""
    source, copy = BarStore.open(store), BarStore.open_or_create(target)
    with copy.writer() as writer:
        for entry in source.coverage():
            frame = source.read([entry.symbol], entry.interval, None, None).drop("symbol")
            if len(frame := change(entry.interval, frame)):
                writer.write(entry.symbol, entry.interval, frame)
    return target


def known_by(now: datetime) -> Callable[[str, pl.DataFrame], pl.DataFrame]:
    """The bars that have closed by a time; of a series that has none, its last one: the store holds it still."""

    def known(interval: str, frame: pl.DataFrame) -> pl.DataFrame:
        if interval == "1d":
            closed = pl.col("timestamp") < datetime(now.year, now.month, now.day, tzinfo=UTC)
        else:
            closed = pl.col("timestamp") + pl.duration(minutes=1) <= now
        return frame.filter(closed) if frame.select(closed.any()).item() else frame.tail(1)

    return known


def instant(day: date, clock: str) -> datetime:
    hours, minutes = map(int, clock.split(":"))
    opened = NEW_YORK.to_local(NEW_YORK.session(day).open_ns)
    return opened.replace(hour=hours, minute=minutes).astimezone(UTC)


LENIENT: dict[str, Any] = {"on_shortfall": "warm", "gap_policy": "forward", "min_quality": 99}
RICH: dict[str, Any] = {
    "streams": ["1m", "5m"],
    "trailing": {"1m": 2, "1d": 5},
    "indicators": [{"name": "ema", "period": 5, "interval": "5m"}],
}


@pytest.mark.parametrize(("clock", "more"), [*zip(CLOCKS, cycle([{}, LENIENT])), ("10:00", LENIENT)])
def test_real_bars_of_the_rest_of_the_day_change_nothing(
    minute_store: Path, tmp_path: Path, clock: str, more: dict[str, Any]
) -> None:
    day = date(2013, 10, 8)
    cut = changed(minute_store, tmp_path / "cut", known_by(instant(day, clock)))
    keys: dict[str, Any] = {"days": str(day), "symbols": ["SPY"], **RICH, **more}

    symbols = ["IBM", "AIG", "BAC"]
    assert outcomes(minute_store, symbols, clock, **keys) == outcomes(cut, symbols, clock, **keys)


HOLES = st.sampled_from(
    [
        (),
        ("today",),
        ("morning",),
        ("afternoon",),
        ("before",),
        ("before", "morning"),
        ("week", "morning"),
        ("week", "today"),
        ("later",),
        ("every fifth",),
    ]
)


def _is_kept(holes: tuple[str, ...], start_ns: int, interval: str) -> bool:
    local = datetime.fromtimestamp(start_ns // 1_000_000_000, UTC) if interval == "1d" else NEW_YORK.to_local(start_ns)
    day, today = local.date(), DAY
    gone = {
        "today": day == today,
        "morning": day == today and interval != "1d" and local.hour < 13,
        "afternoon": day == today and interval != "1d" and local.hour >= 11,
        "before": day < today,
        "week": today - timedelta(days=6) <= day < today,
        "later": day > today,
        "every fifth": interval != "1d" and local.minute % 5 == 0,
    }
    return not any(gone[hole] for hole in holes)


@settings(max_examples=examples(7))
@given(holes=st.lists(HOLES, min_size=2, max_size=3), clock=st.sampled_from(CLOCKS), warm=st.booleans())
def test_bars_to_come_change_nothing_whatever_is_missing(
    tmp_path_factory: pytest.TempPathFactory, holes: list[tuple[str, ...]], clock: str, warm: bool
) -> None:
    folder = tmp_path_factory.mktemp("holes")
    symbols = [f"S{number}" for number in range(len(holes))]

    def keep(symbol: str, interval: str, start_ns: int) -> bool:
        return symbol == "WHOLE" or _is_kept(holes[int(symbol[1:])], start_ns, interval)

    store = made_store(folder / "all", ["WHOLE", *symbols], "2024-05-28", "2024-06-12", keep=keep)
    cut = changed(store, folder / "cut", known_by(instant(DAY, clock)))
    keys: dict[str, Any] = {
        "days": str(DAY),
        "symbols": ["WHOLE"],
        **RICH,
        "on_shortfall": "warm" if warm else "reject",
    }

    assert outcomes(store, symbols, clock, **keys) == outcomes(cut, symbols, clock, **keys)


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One symbol trades all day, one from 13:00 on, one not today; one is listed today, one tomorrow."""
    kept: dict[str, tuple[str, ...]] = {"WHOLE": (), "LATE": ("morning",), "NOTTODAY": ("today",), "NEW": ("before",)}

    def keep(symbol: str, interval: str, start_ns: int) -> bool:
        return _is_kept(kept.get(symbol, ("before", "today")), start_ns, interval)

    symbols = [*kept, "TOMORROW"]
    return made_store(tmp_path_factory.mktemp("late"), symbols, "2024-05-28", "2024-06-11", keep=keep)


def added_at_ten(store: Path, **keys: Any) -> tuple[list[bool], SystemManager]:
    done: list[bool] = []
    names = ["LATE", "NOTTODAY", "NEW", "TOMORROW", "NOPE"]

    def add(context: Any) -> None:
        done.extend(context.add_symbols(names).values())

    at_ten = strategy_at("10:00", add, watch="WHOLE")
    system = engine(store, days=str(DAY), symbols=["WHOLE"], strategies=[at_ten], **keys)
    system.run()
    return done, system


class TestAtTen:
    def test_one_that_will_trade_at_one_and_one_that_will_not_are_alike(self, late: Path) -> None:
        done, system = added_at_ten(late, trailing={"1m": 2})

        assert done == [True, True, True, True, False]
        records = {r.symbol: r for r in system.coordinator.journal if r.source == "strategy"}
        assert records["LATE"].warnings == records["NOTTODAY"].warnings == ()
        rows = {name: len(system.session_data.current[name].bars["1m"].today) for name in ("LATE", "NOTTODAY", "NEW")}
        assert rows == {"LATE": 180, "NOTTODAY": 0, "NEW": 390}

    def test_one_without_earlier_bars_is_accepted_with_a_warning_when_it_needs_none(self, late: Path) -> None:
        done, system = added_at_ten(late)

        assert done == [True, True, True, True, False]
        records = {r.symbol: r for r in system.coordinator.journal if r.source == "strategy"}
        assert records["TOMORROW"].warnings == ("1m: no bars before 2024-06-10",)
        assert records["NEW"].warnings == (), "at ten it has half an hour of bars"
        assert "no bars of NOPE" in records["NOPE"].errors[0]

    def test_one_without_earlier_bars_is_refused_when_an_indicator_needs_some(self, late: Path) -> None:
        done, system = added_at_ten(late, indicators=[{"name": "sma", "period": 40, "interval": "1m"}])

        assert done == [True, True, False, False, False]
        records = {r.symbol: r for r in system.coordinator.journal if r.source == "strategy"}
        assert "needs 40 bars of 1m, has 30" in records["NEW"].errors[0]
        (error,) = records["TOMORROW"].errors
        assert "needs 40 bars of 1m, has 0: the store has no 1m bars before 2024-06-10" in error

    @pytest.mark.parametrize("name", ["vwap", "opening_range", "session_high_low", "sma", "macd", "obv", "rsi"])
    def test_indicators_of_a_symbol_without_any_bar_are_there_and_not_valid(self, late: Path, name: str) -> None:
        system = prepared(late, days=str(DAY), symbols=["WHOLE"], on_shortfall="warm")
        assert system.session_data.add_indicator_unified("TOMORROW", IndicatorConfig(name, interval="5m"))

        for clock in ("10:00", "16:00"):
            advance(system, clock)
            (indicator,) = system.session_data.current["TOMORROW"].indicators.values()
            assert (indicator.valid, len(indicator.values)) == (False, 0)

    def test_a_strategy_may_subscribe_to_what_will_not_trade_today(self, late: Path) -> None:
        heard: list[str] = []
        pairs = [("WHOLE", "60m"), ("NOTTODAY", "5m"), ("LATE", "5m")]
        watcher = probe_strategy(subscriptions=pairs, on_bar=lambda self, bar: heard.append(bar.symbol))
        engine(late, days=str(DAY), symbols=["WHOLE"], strategies=[watcher]).run()

        assert {name: heard.count(name) for name in ("WHOLE", "NOTTODAY", "LATE")} == {
            "WHOLE": 7,
            "NOTTODAY": 0,
            "LATE": 36,
        }


class TestNoBarAtAll:
    def test_a_day_on_which_no_symbol_had_a_bar_is_reported(self, late: Path) -> None:
        summary = engine(late, days=(str(DAY), "2024-06-11"), symbols=["NOTTODAY", "TOMORROW"]).run()

        first, second = summary["days"]
        assert (first["bars_streamed"], second["bars_streamed"]) == (0, 780)
        assert first["dropped"] == {}
        assert "no symbol had a bar on 2024-06-10" in summary["warnings"]
        assert "no symbol had a bar on 2024-06-11" not in summary["warnings"]
        assert journal(first, "TOMORROW")[0]["warnings"] == ["1m: no bars before 2024-06-10"]

    def test_a_run_without_any_bar_fails_when_it_is_over(self, late: Path) -> None:
        with pytest.raises(ProvisioningError, match="no symbol had a bar on 2024-06-10"):
            engine(late, days=str(DAY), symbols=["NOTTODAY"]).run()
