"""The same calendars through aggregate() and through sessions that run: what strategies see is what the hours say."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest

from made_bars import made_store
from openbell.market_data.aggregate import aggregate
from openbell.model.bars import Bars
from openbell.model.interval import parse_interval
from openbell.store.store import BarStore
from openbell.testing import probe_strategy
from openbell.timing import TimeManager
from probes import engine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import polars as pl

INTERVALS = ("1m", "4m", "5m", "7m", "15m", "30m", "45m", "60m", "240m", "1d", "1w")
MINUTE = parse_interval("1m")


class Row(NamedTuple):
    """A bar that was put together by hand."""

    start: int
    end: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    count: int


def by_hand(tm: TimeManager, minutes: Bars, interval: str) -> list[Row]:
    """Bars of an interval: each minute is put into the tile that it lies in, one after the other."""
    columns = (minutes.open, minutes.high, minutes.low, minutes.close, minutes.volume)
    rows: dict[int, Row] = {}
    tiles = tiles_of(tm, minutes, interval)
    for at, o, h, low, c, v in zip(minutes.timestamp.tolist(), *(column.tolist() for column in columns), strict=True):
        start, end = tiles[at]
        b = rows.get(start)
        rows[start] = (
            Row(start, end, o, h, low, c, v, 1)
            if b is None
            else Row(start, end, b.open, max(b.high, h), min(b.low, low), c, b.volume + v, b.count + 1)
        )
    return list(rows.values())


def tiles_of(tm: TimeManager, minutes: Bars, interval: str) -> dict[int, tuple[int, int]]:
    """For every minute of the sessions, the bar of the interval that it is part of."""
    wanted, tiles = parse_interval(interval), {}
    first, last = (tm.day_of(int(minutes.timestamp[at])) for at in (0, -1))
    for day in tm.sessions(first, last):
        session = tm.session(day)
        monday = day - timedelta(days=day.weekday())
        week = tm.sessions(monday, monday + timedelta(days=6)) if interval == "1w" else [day]
        whole = (tm.session(week[0]).open_ns, tm.session(week[-1]).close_ns)
        for segment in session.segments:
            for at in range(segment.open_ns, segment.close_ns, MINUTE.ns):
                start = segment.open_ns + (at - segment.open_ns) // wanted.ns * wanted.ns
                tiles[at] = (start, min(start + wanted.ns, segment.close_ns)) if wanted.is_intraday else whole
    return tiles


def rows_of(bars: Bars) -> list[Row]:
    columns = (getattr(bars, name).tolist() for name in ("timestamp", *Row._fields[1:]))
    return [Row(*row) for row in zip(*columns, strict=True)]


def same(found: Row, expected: Row) -> bool:
    """Equal to the bit, but for the sum of volumes, whose order is free."""
    return found._replace(volume=0) == expected._replace(volume=0) and np.isclose(found.volume, expected.volume)


def stored_minutes(store: Path) -> Bars:
    frame: pl.DataFrame = BarStore.open(store).read(["X"], "1m", None, None)
    start = frame["timestamp"].to_physical().to_numpy()
    values = [frame[name].to_numpy() for name in ("open", "high", "low", "close", "volume")]
    return Bars(start, start + MINUTE.ns, *values, np.ones(len(start), np.int32))


# Two whole weeks each, with a half day and a holiday, a change of the clocks, or other hours from a day on.
FORTNIGHTS = [
    *(("XNYS", "2024-07-01", "2024-07-14"), ("XNYS", "2024-03-04", "2024-03-17"), ("XNYS", "2024-10-28", "2024-11-10")),
    *(("XHKG", "2024-12-16", "2024-12-29"), ("XTKS", "2024-10-28", "2024-11-10"), ("XBOM", "2024-07-08", "2024-07-21")),
    *(("XLON", "2024-03-25", "2024-04-07"), ("CMES", "2024-03-04", "2024-03-17"), ("CMES", "2024-07-01", "2024-07-14")),
    ("24/7", "2024-03-04", "2024-03-17"),
]
QUICK_FORTNIGHTS = {("XNYS", "2024-10-28"): (1.0,), ("XHKG", "2024-12-16"): (0.3,), ("CMES", "2024-07-01"): (1.0, 0.3)}
"""A change of the clocks, breaks with half days, evenings, with all bars or some; others run with the long tests."""


@pytest.mark.parametrize(
    ("exchange", "first", "last", "kept"),
    [
        pytest.param(*fortnight, kept, marks=() if fortnight[:2] in QUICK_FORTNIGHTS else pytest.mark.long)
        for fortnight in FORTNIGHTS
        for kept in QUICK_FORTNIGHTS.get(fortnight[:2], (1.0, 0.3))
    ],
)
def test_bars_put_together_are_those_put_together_by_hand(
    tmp_path: Path, exchange: str, first: str, last: str, kept: float
) -> None:
    dice = np.random.default_rng(5)
    keep = lambda *_: kept == 1 or dice.random() < kept  # noqa: E731
    minutes = stored_minutes(
        made_store(tmp_path / "store", ["X"], first, last, exchange=exchange, intervals=["1m"], keep=keep)
    )
    tm = TimeManager(exchange)
    grid = tm.grid(date.fromisoformat(first), date.fromisoformat(last))
    for interval in INTERVALS[1:]:
        made, expected = aggregate(minutes, grid, parse_interval(interval), base=MINUTE), by_hand(tm, minutes, interval)
        assert len(made) == len(expected)
        assert all(map(same, rows_of(made), expected)), interval
        if kept == 1:
            bars = grid.expected_bars(parse_interval(interval))
            assert np.array_equal(made.timestamp, bars.start_ns)
            assert np.array_equal(made.end, bars.end_ns)


class Run(NamedTuple):
    """Sessions to run, and since when there are bars."""

    exchange: str
    since: str
    first: str
    last: str
    sessions: int


RUNS = [
    Run("XHKG", "2024-12-02", "2024-12-23", "2024-12-27", 3),
    Run("CMES", "2024-02-19", "2024-03-08", "2024-03-12", 3),
    Run("CMES", "2024-06-17", "2024-07-03", "2024-07-05", 3),
    Run("24/7", "2024-02-19", "2024-03-09", "2024-03-11", 3),
    Run("XBOM", "2024-06-24", "2024-07-16", "2024-07-19", 3),
]
QUICK_RUNS = (RUNS[0], RUNS[2])
"""Breaks with a half day, and evenings with one; all others run with the long tests."""


class Seen:
    """What a strategy saw of every session, by day and interval."""

    def __init__(self) -> None:
        self.history: dict[tuple[date, str], list[Row]] = {}
        self.ahead: dict[tuple[date, str], int] = {}
        self.bars: dict[tuple[date, str], list[Row]] = {}
        self.averages: dict[tuple[date, str], list[float]] = {}
        self.clocks: list[bool] = []

    def setup(self, probe: Any) -> None:
        context = probe.context
        for interval in INTERVALS:
            series = context.bars("X", interval)
            self.history[context.session_date, interval] = rows_of(series.history)
            self.ahead[context.session_date, interval] = len(series.today)

    def on_bar(self, probe: Any, bar: Any) -> None:
        context, key = probe.context, (probe.context.session_date, bar.interval)
        self.clocks.append(context.now_ns == bar.end)
        row = Row(bar.timestamp, bar.end, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.count)
        self.bars.setdefault(key, []).append(row)
        average = context.indicator("X", f"sma_{period(bar.interval)}_{bar.interval}")
        self.averages.setdefault(key, []).append(average.value if average.valid else np.nan)


def watching(seen: Seen) -> dict[str, Any]:
    """A strategy that notes what it sees; plain functions, since a config is copied every day."""
    return probe_strategy(
        subscriptions=[("X", interval) for interval in INTERVALS],
        setup=lambda probe: seen.setup(probe),
        on_bar=lambda probe, bar: seen.on_bar(probe, bar),
    )


def period(interval: str) -> int:
    """As many bars as reach over a weekend or a holiday."""
    return {"1d": 9, "1w": 2, "240m": 9}.get(interval, 40)


@pytest.fixture(
    scope="module",
    params=[pytest.param(run, marks=() if run in QUICK_RUNS else pytest.mark.long) for run in RUNS],
    ids=lambda run: f"{run.exchange} {run.first}",
)
def played(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Run, Seen, Bars]]:
    """A run of these sessions on generated minutes, what its strategy saw, and the minutes."""
    run: Run = request.param
    end = str(date.fromisoformat(run.last) + timedelta(days=9))  # bars of later days are there, and must not be seen
    folder = tmp_path_factory.mktemp("world") / "store"
    store = made_store(folder, ["X"], run.since, end, exchange=run.exchange, intervals=["1m"])
    seen = Seen()
    system = engine(
        store,
        exchange=run.exchange,
        symbols=["X"],
        days=(run.first, run.last),
        streams=INTERVALS,
        trailing={"1m": 1},
        indicators=[{"name": "sma", "period": period(i), "interval": i} for i in INTERVALS],
        strategies=[watching(seen)],
    )
    summary = system.run()
    assert len(summary["days"]) == run.sessions
    assert (summary["warnings"], [day["dropped"] for day in summary["days"]]) == ([], [{}] * run.sessions)
    return run, seen, stored_minutes(store)


@pytest.mark.parametrize("interval", INTERVALS)
def test_a_running_session_sees_the_bars_of_its_calendar(played: tuple[Run, Seen, Bars], interval: str) -> None:
    run, seen, minutes = played
    tm = TimeManager(run.exchange)
    every = by_hand(tm, minutes, interval)
    for day in tm.sessions(date.fromisoformat(run.first), date.fromisoformat(run.last)):
        session = tm.session(day)
        before = [row for row in every if row.end <= session.open_ns]
        today = [row for row in every if session.open_ns < row.end <= session.close_ns]

        past = seen.history[day, interval]
        assert seen.ahead[day, interval] == 0, "nothing of today is seen before it has closed"
        assert len(past) >= period(interval), "the warm-up reaches back far enough"
        assert all(map(same, past, before[-len(past) :])), "history ends where the session begins"

        shown = seen.bars.get((day, interval), [])
        assert len(shown) == len(today)
        assert all(map(same, shown, today))

        closes = np.array([row.close for row in before + today])
        means = [closes[: len(before) + n][-period(interval) :].mean() for n in range(1, len(today) + 1)]
        assert np.allclose(seen.averages.get((day, interval), []), means, rtol=1e-9)


def test_a_bar_is_told_when_it_closes(played: tuple[Run, Seen, Bars]) -> None:
    _, seen, _ = played

    assert seen.clocks
    assert all(seen.clocks)


def test_history_and_today_meet_where_one_session_ends_and_the_next_begins(played: tuple[Run, Seen, Bars]) -> None:
    run, seen, _ = played
    tm = TimeManager(run.exchange)
    for day in tm.sessions(date.fromisoformat(run.first), date.fromisoformat(run.last)):
        session, before = tm.session(day), tm.session(tm.session_before(day))
        assert seen.history[day, "1m"][-1].end == before.close_ns
        assert seen.bars[day, "1m"][0].start == session.open_ns
        if run.exchange == "24/7":
            assert before.close_ns == session.open_ns
        assert seen.history[day, "1d"][-1][:2] == (before.open_ns, before.close_ns)
        assert seen.bars[day, "1d"][0][:2] == (session.open_ns, session.close_ns)


def test_an_evening_belongs_to_the_session_of_the_next_day(tmp_path: Path) -> None:
    store = made_store(tmp_path / "store", ["X"], "2024-07-01", "2024-07-08", exchange="CMES", intervals=["1m"])
    starts: list[str] = []
    probe = probe_strategy(
        subscriptions=[("X", "240m")],
        on_bar=lambda probe, bar: starts.append(f"{probe.context.local(bar.timestamp):%a %H:%M}"),
    )

    engine(store, exchange="US_FUTURES", symbols=["X"], days="2024-07-08", strategies=[probe]).run()

    assert starts == ["Sun 17:00", "Sun 21:00", "Mon 01:00", "Mon 05:00", "Mon 09:00", "Mon 13:00"]


def test_own_sessions_run_as_any_other(tmp_path: Path) -> None:
    own = {"name": "DESK", "timezone": "Europe/Zurich", "open": "08:00", "close": "17:30", "holidays": ["2024-07-03"]}
    own["breaks"] = [{"start": "12:00", "end": "13:00"}]  # type: ignore[assignment]
    store = made_store(tmp_path / "store", ["X"], "2024-06-24", "2024-07-12", exchange="24/7", intervals=["1m"])
    ends: dict[date, list[str]] = {}

    def on_bar(probe: Any, bar: Any) -> None:
        ends.setdefault(probe.context.session_date, []).append(f"{probe.context.local(bar.end):%H:%M}")

    probe = probe_strategy(subscriptions=[("X", "60m")], on_bar=on_bar)
    days = ("2024-07-02", "2024-07-04")
    summary = engine(store, exchange=own, symbols=["X"], days=days, streams=["1m", "60m"], strategies=[probe]).run()  # type: ignore[arg-type]

    hours = ["09:00", "10:00", "11:00", "12:00", "14:00", "15:00", "16:00", "17:00", "17:30"]
    assert ends == {date(2024, 7, 2): hours, date(2024, 7, 4): hours}
    assert summary["exchange"] == "DESK"
    assert [day["open"] for day in summary["days"]] == ["2024-07-02T08:00:00+02:00", "2024-07-04T08:00:00+02:00"]
    assert {day["symbols"]["X"]["bars"]["1m"]["quality"] for day in summary["days"]} == {100.0}
