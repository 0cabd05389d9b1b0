"""The last sessions or bars of a series: as many as are asked for, whatever others have loaded, or an error."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from how_many import examples
from made_bars import made_store
from openbell.errors import ConfigError, DataError
from openbell.testing import advance
from probes import COLUMNS, engine, prepared, strategy_at

if TYPE_CHECKING:
    from pathlib import Path

DAY = "2024-07-10"
MINUTE = 60_000_000_000


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A: all bars. LATE: from 2024-07-08 on. THIN: no bar before 11:00 on 07-09, none at all on 07-08."""
    folder = tmp_path_factory.mktemp("last") / "store"
    made_store(folder, ["A"], "2024-06-03", "2024-07-12")
    made_store(folder, ["LATE"], "2024-07-08", "2024-07-12")

    def keep(symbol: str, interval: str, ns: int) -> bool:
        minute = ns // MINUTE % 1440
        day = ns // (1440 * MINUTE) - 19_900  # 2024-07-08 is 12
        return day != 12 and (interval == "1d" or day != 13 or minute >= 15 * 60)

    return made_store(folder, ["THIN"], "2024-06-03", "2024-07-12", keep=keep)


def series_of(store: Path, symbol: str = "A", interval: str = "1m", **keys: Any) -> Any:
    return prepared(store, days=DAY, symbols=[symbol], **keys).session_data.get_bars(symbol, interval)


def columns(bars: Any) -> dict[str, bytes]:
    return {name: getattr(bars, name).tobytes() for name in COLUMNS}


@pytest.mark.parametrize("interval", ["1m", "5m", "60m", "1d"])
@pytest.mark.parametrize("deeper", [{}, {"1m": 9, "1d": 9}, {"5m": 20}])
def test_the_last_sessions_are_the_same_whatever_others_loaded(store: Path, interval: str, deeper: dict) -> None:
    trailing = {i: max(deeper.get(i, 0), 2) for i in ("1m", "5m", "60m", "1d")}
    streams = ["1m", "5m", "60m", "1d"]
    bars = series_of(store, interval=interval, streams=streams, trailing=trailing).last(sessions=2)

    assert len(bars) == 2 * {"1m": 390, "5m": 78, "60m": 7, "1d": 1}[interval]
    plain = series_of(store, interval=interval, streams=streams, trailing=dict.fromkeys(streams, 2))
    assert columns(bars) == columns(plain.history)


def test_a_crypto_day_is_of_1440_minutes(tmp_path: Path) -> None:
    """The case of the report: 2,880 are asked for, and an indicator has loaded 30,240."""
    folder = made_store(tmp_path / "store", ["BTC"], "2024-01-01", "2024-02-03", exchange="24/7", intervals=["1m"])
    average = {"name": "sma", "period": 2016, "interval": "15m"}
    system = prepared(
        folder, days="2024-02-03", symbols=["BTC"], exchange="24/7", streams=["1m", "15m"], trailing={"1m": 2},
        indicators=[average],
    )  # fmt: skip
    series = system.session_data.get_bars("BTC", "1m")

    assert len(series.history) == 30_240
    assert len(series.last(sessions=2)) == 2_880


def test_the_last_bars_are_those_that_closed_last(store: Path) -> None:
    system = prepared(store, days=DAY, symbols=["A"], trailing={"1m": 2})
    series = system.session_data.get_bars("A", "1m")
    for clock, today in (("09:30", 0), ("11:00", 90), ("16:00", 390)):
        advance(system, clock)
        assert columns(series.last(bars=100)) == columns(series.data[-100:])
        assert len(series.last(sessions=2)) == 780
        assert len(series.today) == today
    with pytest.raises(DataError, match=r"A 1m: the last 1,171 bars.* 1,170 are there.*add_bar\('A', '1m', bars=1171"):
        series.last(bars=1171)


@pytest.mark.parametrize("interval", ["1m", "5m", "1d"])
def test_what_was_not_loaded_is_not_given_short(store: Path, interval: str) -> None:
    """40 bars reach into the session of the 9th or before, and make no whole sessions."""
    average = {"name": "sma", "period": 40, "interval": interval}
    series = series_of(store, interval=interval, streams=["1m", "5m", "1d"], indicators=[average], on_shortfall="warm")
    whole = {"1m": 0, "5m": 0, "1d": 25}[interval]
    for sessions in range(1, whole + 1):
        assert len(series.last(sessions=sessions)) == sessions
    error = rf"A {interval}: the last .*whole from .* on\. .*add_bar\('A', '{interval}', days={whole + 1}\)"
    if interval == "1d":
        error = r"A 1d: the last 26 sessions begin 2024-05-31, and the store's bars begin 2024-06-03\.$"
    with pytest.raises(DataError, match=error):
        series.last(sessions=whole + 1)


def test_what_the_store_does_not_have_is_said_as_that(store: Path) -> None:
    series = series_of(store, "LATE", trailing={"1m": 5})
    assert len(series.last(sessions=2)) == 780
    with pytest.raises(DataError, match=r"3 sessions begin 2024-07-05, and the store's bars begin 2024-07-08\.$"):
        series.last(sessions=3)
    with pytest.raises(DataError, match=r"the last session is 2024-07-05, and the store has no bars of it before 2024"):
        prepared(store, days="2024-07-08", symbols=["LATE"]).session_data.get_bars("LATE", "1m").last(sessions=1)


def test_missing_bars_make_no_series_less_whole(store: Path) -> None:
    """What was loaded is all that the store has, though a session has few bars and another none."""
    series = series_of(store, "THIN", trailing={"1m": 3})
    assert [len(series.last(sessions=n)) for n in (1, 2, 3)] == [300, 300, 690]

    found = {}

    def deepen(context: Any) -> None:
        with pytest.raises(DataError, match="days=2"):
            context.bars("THIN", "1m").last(sessions=2)
        assert context.add_bar("THIN", "1m", days=2)  # no more bars than are there already
        found["two"] = len(context.bars("THIN", "1m").last(sessions=2))
        assert context.add_bar("THIN", "1m", bars=301)
        found["bars"] = context.bars("THIN", "1m").last(bars=361).timestamp[0]

    watcher = strategy_at("10:30", deepen, watch="THIN")
    engine(store, days=DAY, symbols=["THIN"], trailing={"1m": 1}, strategies=[watcher]).run()
    assert found["two"] == 300
    assert found["bars"] == series.last(bars=301).timestamp[0]


def test_a_strategy_asks_for_as_many_bars_as_it_wants(store: Path) -> None:
    lengths = []

    def ask(context: Any) -> None:
        assert context.add_bar("A", "5m", bars=200)
        lengths.append(len(context.bars("A", "5m").last(bars=212)))
        assert context.add_bar("A", "5m", days=1, bars=20)
        lengths.append(len(context.bars("A", "5m").last(sessions=1)))
        with pytest.raises(ConfigError, match="bars must be 0 or more"):
            context.add_bar("A", "5m", bars=-1)
        with pytest.raises(ConfigError, match=r"bars=1\.5; bars is a whole number of bars"):
            context.add_bar("A", "5m", bars=1.5)

    result = engine(store, days=DAY, symbols=["A"], strategies=[strategy_at("10:30", ask, watch="A")]).run()
    assert lengths == [212, 78]
    asked = [r.reason for r in result.days[0].provisioning if r.operation_type == "bar" and "trailing" in r.reason]
    assert asked[0] == "bars of 5m with 200 trailing bars: a strategy asked for it"


def test_sessions_of_other_exchanges_begin_on_the_day_before(tmp_path: Path) -> None:
    """Sydney opens on the date before in UTC, Globex on the evening before at the exchange."""
    for exchange in ("XASX", "CMES"):
        folder = made_store(tmp_path / exchange, ["A"], "2024-07-03", "2024-07-10", exchange=exchange, intervals=["1m"])
        keys = {"exchange": exchange, "days": DAY, "symbols": ["A"]}
        series = prepared(folder, trailing={"1m": 30}, **keys).session_data.get_bars("A", "1m")
        sessions = sum(len(series.last(sessions=n)) > 0 for n in range(1, 6))
        assert sessions == 5
        with pytest.raises(DataError, match=r"and the store's bars begin 2024-07-03\.$"):
            series.last(sessions=6)


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"sessions": 0}, r"A 1m: last\(sessions=0\) takes a whole number, 1 or more"),
        ({"bars": -3}, r"last\(bars=-3\)"),
        ({"bars": 2.0}, r"last\(bars=2\.0\)"),
        ({"sessions": True}, r"last\(sessions=True\)"),
        ({"sessions": "2"}, r"last\(sessions='2'\)"),
    ],
)
def test_numbers_that_are_none_are_refused(store: Path, asked: dict[str, Any], error: str) -> None:
    with pytest.raises(ConfigError, match=error):
        series_of(store).last(**asked)


def test_one_of_both_is_asked_for(store: Path) -> None:
    for asked in ({}, {"sessions": 1, "bars": 1}):
        with pytest.raises(TypeError, match="one argument by name"):
            series_of(store).last(**asked)


def test_weeks_are_asked_for_in_bars(store: Path) -> None:
    series = series_of(store, interval="1w", streams=["1d"], trailing={"1w": 20})
    assert columns(series.last(bars=2)) == columns(series.data[-2:])
    with pytest.raises(ConfigError, match=r"A: a 1w bar is of several sessions; ask for bars"):
        series.last(sessions=5)


MISSING_DAYS = st.sets(st.integers(19_877, 19_913), max_size=12)  # 2024-06-03 to 2024-07-09
DEPTHS = st.fixed_dictionaries({}, optional={name: st.integers(1, 12) for name in ("1m", "5m", "1d")})


@pytest.mark.long
@settings(max_examples=examples(20))
@given(MISSING_DAYS, DEPTHS, st.integers(1, 400), st.integers(0, 9), st.sampled_from(["none", "forward"]))
def test_it_is_all_that_the_store_has_of_these_sessions_or_an_error(
    tmp_path_factory: pytest.TempPathFactory,
    missing: set[int],
    trailing: dict[str, int],
    period: int,
    more: int,
    policy: str,
) -> None:
    """Whatever is missing and whoever loads what: never less without a word, nor refused when it was asked for."""
    folder = made_store(
        tmp_path_factory.mktemp("random") / "store", ["A"], "2024-06-03", "2024-07-10",
        keep=lambda _, __, ns: ns // (1440 * MINUTE) not in missing and ns // MINUTE % 97 != 5,
    )  # fmt: skip
    average = {"name": "sma", "period": period, "interval": "5m"}
    system = prepared(
        folder, days=DAY, symbols=["A"], streams=["1m", "5m", "1d"], trailing=trailing, indicators=[average],
        on_shortfall="warm", gap_policy=policy,
    )  # fmt: skip
    if more:
        assert system.session_data.add_bar_unified("A", "5m", days=more)
    tm, day = system.time_manager, system.session_data.session_date
    stored = min(d for d in range(19_877, 19_915) if d not in missing)
    for interval, series in system.session_data.get_symbol_data("A").bars.items():
        asked = max(trailing.get(interval, 0), more if interval != "1d" else 0)
        for sessions in range(1, 30):
            first = tm.session_before(day, sessions)
            wanted = system.data_manager.load_historical_bars(
                "A", interval, first, tm.session_before(day), base=series.base
            )
            try:
                found = series.last(sessions=sessions)
            except DataError:
                assert sessions > asked or (first - date(1970, 1, 1)).days < stored
                continue
            assert found.timestamp.tolist() == wanted.timestamp.tolist(), (interval, sessions)
