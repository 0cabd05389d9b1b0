"""The table of calendars: the same as exchange_calendars, quick, and never in the way of a newer release."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest

from openbell.config.exchange import ExchangeConfig
from openbell.errors import ConfigError, UnknownNameError
from openbell.timing import TimeManager, calendar_lookup, calendars
from openbell.timing.calendar_table import CalendarTable, calendar_table, tabled
from openbell.timing.exchange_calendars_package import installed_release, library_names, library_schedule
from openbell.timing.grid import date_of, day_number
from openbell.timing.schedule import NO_TIME, Schedule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TABLE = calendar_table()
SAMPLE = ["XNYS", "XHKG", "CMES"]
"""Plain hours, breaks, and evenings: these run at every test, all other calendars with the long ones."""


def columns_of(schedule: Schedule) -> list[np.ndarray]:
    return [schedule.days, schedule.open_ns, schedule.close_ns, *(c for pair in schedule.breaks for c in pair)]


def assert_same(ours: Schedule, theirs: Schedule) -> None:
    assert (ours.name, str(ours.timezone)) == (theirs.name, str(theirs.timezone))
    assert (ours.first_day, ours.last_day) == (theirs.first_day, theirs.last_day)
    for mine, yours in zip(columns_of(ours), columns_of(theirs), strict=True):
        assert mine.dtype == yours.dtype == np.int64
        np.testing.assert_array_equal(mine, yours)


def output_of(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[CalendarTable], None]]:
    """Put another table in the place of openbell's; calendars that are loaded already are forgotten."""

    def use(table: CalendarTable) -> None:
        monkeypatch.setattr(calendar_lookup, "calendar_table", lambda: table)
        calendars.load_calendar.cache_clear()

    yield use
    calendars.load_calendar.cache_clear()


@cache
def of_library(name: str) -> Schedule:
    """A calendar as the library makes it, which takes half a second."""
    return library_schedule(name, TABLE.until)


def without_session(day: date, *, release: str, settled_until: date = TABLE.settled_until) -> CalendarTable:
    """openbell's table as of another release, in which New York does not trade on a day."""
    known = of_library("XNYS")
    rows = known.days != day_number(day)
    less = replace(
        known,
        days=known.days[rows],
        open_ns=known.open_ns[rows],
        close_ns=known.close_ns[rows],
        breaks=tuple((start[rows], end[rows]) for start, end in known.breaks),
    )
    entries = {**TABLE.calendars, "XNYS": tabled(less)}
    return replace(TABLE, release=release, settled_until=settled_until, calendars=entries)


class TestContent:
    def test_it_is_made_of_the_release_that_is_installed(self) -> None:
        assert TABLE.release == installed_release(), "run scripts/make_calendar_table.py"

    def test_names_and_aliases_are_those_of_the_library(self) -> None:
        names, aliases = library_names()

        assert {*TABLE.hours} == {*names}
        assert TABLE.aliases == aliases

    @pytest.mark.parametrize("name", SAMPLE)
    def test_sessions_are_those_of_the_library(self, name: str) -> None:
        assert_same(TABLE.calendars[name].schedule(name), of_library(name))

    @pytest.mark.long
    @pytest.mark.parametrize("name", sorted({*TABLE.hours} - {*SAMPLE}))
    def test_all_sessions_are_those_of_the_library(self, name: str) -> None:
        if name in TABLE.calendars:
            assert_same(TABLE.calendars[name].schedule(name), library_schedule(name, TABLE.until))
        else:
            with pytest.raises(ConfigError, match="cannot build the calendar"):
                library_schedule(name, TABLE.until)

    def test_it_reaches_far_beyond_what_a_calendar_needs(self) -> None:
        assert TABLE.until.year > datetime.now(UTC).year + 1, "run scripts/make_calendar_table.py"

    def test_what_is_written_is_read(self) -> None:
        assert CalendarTable.from_json(TABLE.to_json()) == TABLE

    def test_a_session_that_ends_at_a_fraction_of_a_minute_is_refused(self) -> None:
        known = library_schedule("XNYS", date(1991, 1, 2))

        with pytest.raises(ValueError, match=r"XNYS: 1990-01-02 16:00:07-05:00 is not on a whole minute"):
            tabled(replace(known, close_ns=known.close_ns + 7_000_000_000))


def test_a_calendar_needs_neither_pandas_nor_exchange_calendars() -> None:
    program = (
        "import sys; from datetime import date; from openbell.timing import TimeManager;"
        "tm = TimeManager('NASDAQ', session_hours='extended'); tm.session(date(2024, 7, 3)); tm.session(tm.last_day);"
        "print([m for m in ('pandas', 'exchange_calendars') if m in sys.modules])"
    )

    assert output_of(program) == "[]\n"


@pytest.mark.parametrize(
    "exchange", ["XNYS", *(pytest.param(n, marks=pytest.mark.long) for n in ("XHKG", "XTKS", "XBOM", "CMES", "24/7"))]
)
def test_a_calendar_ends_a_year_from_today(exchange: str) -> None:
    today = datetime.now(UTC).date()
    tm = TimeManager(exchange)

    days = of_library(exchange).days
    expected = days[days <= day_number(date(today.year + 1, today.month, min(today.day, 28)))][-1]
    assert 0 <= day_number(tm.last_day) - expected <= 3


class TestAnotherRelease:
    """The table is of one release of exchange_calendars, and another one is installed."""

    def test_the_past_is_that_of_the_table(self, table: Callable[[CalendarTable], None]) -> None:
        table(without_session(date(2024, 7, 2), release="0.0"))
        tm = TimeManager("XNYS")

        assert not tm.is_session(date(2024, 7, 2))
        assert tm.is_session(date(2026, 7, 2)), "of which the installed release is asked"
        assert not tm.is_session(date(2024, 7, 2)), "and nothing of it changes by that"

    @pytest.mark.parametrize(
        "ask",
        [
            lambda tm, day: tm.is_session(day),
            *(
                pytest.param(ask, marks=pytest.mark.long)
                for ask in (
                    lambda tm, day: day in tm.sessions(date(2024, 1, 1), day),
                    lambda tm, day: tm.session_before(date(2026, 7, 3)) == day,
                    lambda tm, day: tm.day_of(np.datetime64("2026-07-02T15:00", "ns").astype(np.int64)) == day,
                    lambda tm, day: len(tm.grid(day, day)) == 1,
                )
            ),
        ],
    )
    def test_recent_days_are_those_of_the_installed_release(
        self, table: Callable[[CalendarTable], None], ask: Callable[[TimeManager, date], bool]
    ) -> None:
        table(without_session(date(2026, 7, 2), release="0.0"))

        assert ask(TimeManager("XNYS"), date(2026, 7, 2))

    def test_recent_days_of_the_same_release_are_those_of_the_table(
        self, table: Callable[[CalendarTable], None]
    ) -> None:
        table(without_session(date(2026, 7, 2), release=TABLE.release))

        assert not TimeManager("XNYS").is_session(date(2026, 7, 2))

    def test_own_sessions_follow_the_exchange_that_they_are_like(self, table: Callable[[CalendarTable], None]) -> None:
        table(without_session(date(2026, 7, 2), release="0.0"))
        like = {"name": "MINE", "like": "XNYS", "holidays": ["2026-07-06"]}
        hours = {**like, "timezone": "America/New_York", "open": "10:00", "close": "15:00"}

        for own in (like, hours):
            tm = TimeManager(ExchangeConfig.model_validate(own))
            assert [tm.is_session(date(2026, 7, day)) for day in (1, 2, 6, 7)] == [True, True, False, True]

    def test_a_past_session_asks_nobody(self) -> None:
        program = """if True:
            import sys
            from dataclasses import replace
            from datetime import date
            from openbell.timing import TimeManager, calendar_lookup, calendar_table
            other = replace(calendar_table.calendar_table(), release="0.0")
            calendar_lookup.calendar_table = lambda: other
            tm = TimeManager("XNYS")
            tm.session(date(2024, 7, 3)), tm.first_session_for_bars("1w", 20, date(2025, 12, 31)), tm.last_day
            print("exchange_calendars" in sys.modules)
            tm.session(date(2026, 7, 2))
            print("exchange_calendars" in sys.modules)
        """

        assert output_of(program) == "False\nTrue\n"

    def test_a_calendar_that_the_table_knows_too_short_comes_from_the_installed_release(
        self, table: Callable[[CalendarTable], None]
    ) -> None:
        short = tabled(library_schedule("XHKG", date(2025, 12, 31)))
        table(replace(TABLE, release="0.0", calendars={**TABLE.calendars, "XHKG": short}))

        assert TimeManager("XHKG").last_day.year > 2026


class TestNotInTheTable:
    def test_days_after_the_table_come_from_the_library(
        self, table: Callable[[CalendarTable], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        table(TABLE)
        monkeypatch.setattr(calendars, "today_utc", lambda: date(2040, 2, 29))
        tm = TimeManager("XLON")

        assert tm.last_day == date(2041, 2, 28)
        assert_same(
            calendar_lookup.exchange_schedule("XLON", date(2041, 2, 28), latest=True),
            library_schedule("XLON", date(2041, 2, 28)),
        )

    def test_calendars_that_a_program_registers_are_those_that_it_uses(self) -> None:
        program = """if True:
            from datetime import date
            import pandas as pd
            from exchange_calendars import register_calendar_alias, register_calendar_type
            from exchange_calendars.exchange_calendar_xlon import XLONExchangeCalendar
            from openbell.timing import TimeManager

            class Shorter(XLONExchangeCalendar):
                @property
                def adhoc_holidays(self):
                    return [*super().adhoc_holidays, pd.Timestamp("2024-07-02")]

            register_calendar_type("XLON", Shorter, force=True)
            register_calendar_type("SHORT", Shorter)
            register_calendar_alias("SMALL", "SHORT")
            names = ("XLON", "LSE", "SHORT", "SMALL", "XPAR")
            print([TimeManager(name).is_session(date(2024, 7, 2)) for name in names])
        """

        assert output_of(program) == "[False, False, False, False, True]\n"

    def test_an_unknown_name_tells_the_nearest(self) -> None:
        with pytest.raises(UnknownNameError, match=r"unknown calendar 'XNYZ'\. Did you mean 'XNZE' or 'XNYS'"):
            TimeManager("XNYZ")


def test_columns_of_a_table_stand_for_no_time_where_there_is_no_break() -> None:
    hong_kong, new_york = (TABLE.calendars[name].schedule(name) for name in ("XHKG", "XNYS"))

    assert (new_york.breaks[0][0] == NO_TIME).all()
    assert (hong_kong.breaks[0][0] != NO_TIME).any()
    assert date_of(hong_kong.days[0]) == date(1990, 1, 2)
