"""Own sessions: hours, breaks, holidays and time zones from a config, alone or as changes to a known exchange."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from how_many import examples
from openbell.config import load_config
from openbell.config.exchange import WEEKDAYS, ExchangeConfig
from openbell.errors import CalendarError, ConfigError, UnknownNameError
from openbell.model.interval import parse_interval
from openbell.timing import TimeManager

DESK = {"name": "MY_DESK", "timezone": "Europe/Zurich", "open": "08:00", "close": "17:30"}
HOUR_NS = 3_600_000_000_000


def own(**values: Any) -> TimeManager:
    return TimeManager(ExchangeConfig.model_validate({**DESK, **values}))


def like(exchange: str, **values: Any) -> TimeManager:
    return TimeManager(ExchangeConfig.model_validate({"name": "MINE", "like": exchange, **values}))


def hours(tm: TimeManager, day: date) -> list[str]:
    """The segments of a session, on the wall clock; those of another date with their day of the month."""
    shown = []
    for segment in tm.session(day).segments:
        edges = [tm.to_local(segment.open_ns), tm.to_local(segment.close_ns)]
        shown.append("-".join(f"{e:%H:%M}" if e.date() == day else f"{e:%d.%H:%M}" for e in edges))
    return shown


def test_hours_and_a_time_zone_are_a_calendar() -> None:
    tm = own()

    assert (tm.exchange, str(tm.timezone)) == ("MY_DESK", "Europe/Zurich")
    assert tm.sessions(date(2024, 7, 4), date(2024, 7, 9)) == [date(2024, 7, d) for d in (4, 5, 8, 9)]
    for day in (date(2024, 1, 2), date(2024, 7, 2), date(2024, 4, 2), date(2024, 10, 28)):
        assert hours(tm, day) == ["08:00-17:30"]
    assert tm.session(date(2024, 7, 2)).open_ns - tm.session(date(2024, 1, 2)).open_ns == (182 * 24 - 1) * HOUR_NS


def test_days_off_are_single_ones_and_those_of_every_year() -> None:
    tm = own(holidays=["2024-08-01", "12-25"], extra_sessions=["2024-08-03"], weekdays=["Monday", "thu", "fri"])

    assert tm.sessions(date(2024, 7, 31), date(2024, 8, 5)) == [date(2024, 8, d) for d in (2, 3, 5)]
    assert tm.is_session(date(2019, 8, 1))
    assert [y for y in range(1995, 2026) if tm.is_session(date(y, 12, 25))] == []
    assert [y for y in (1995, 1997, 2000, 2003, 2014, 2020) if not tm.is_session(date(y, 12, 25))] != []


def test_breaks_split_the_session() -> None:
    tm = own(breaks=[{"start": "10:00", "end": "10:15"}, {"start": "12:00", "end": "13:00"}])

    assert hours(tm, date(2024, 7, 2)) == ["08:00-10:00", "10:15-12:00", "13:00-17:30"]
    starts, ends = tm.expected_bar_times("60m", date(2024, 7, 2))
    assert [f"{tm.to_local(s):%H:%M}-{tm.to_local(e):%H:%M}" for s, e in zip(starts, ends, strict=True)] == [
        *("08:00-09:00", "09:00-10:00", "10:15-11:15", "11:15-12:00"),
        *("13:00-14:00", "14:00-15:00", "15:00-16:00", "16:00-17:00", "17:00-17:30"),
    ]


def test_a_session_may_open_on_the_evening_before() -> None:
    tm = own(open="18:00", close="17:00", timezone="America/New_York", breaks=[{"start": "02:00", "end": "03:00"}])

    assert hours(tm, date(2024, 7, 8)) == ["07.18:00-02:00", "03:00-17:00"]
    assert tm.day_of(tm.local_ns(date(2024, 7, 7), time(20))) == date(2024, 7, 8)
    assert len(tm.expected_bar_times("60m", date(2024, 7, 8))[0]) == 22


@pytest.mark.parametrize(
    ("weekdays", "first", "last"),
    [
        (["sun", "mon", "tue", "wed", "thu"], date(2024, 7, 7), date(2024, 7, 11)),
        (["sat", "sun", "mon", "tue", "wed"], date(2024, 7, 6), date(2024, 7, 10)),
        (["mon", "tue", "wed", "thu", "fri"], date(2024, 7, 8), date(2024, 7, 12)),
        (["mon", "tue", "wed", "thu", "fri", "sat"], date(2024, 7, 8), date(2024, 7, 13)),
        (["sat", "sun"], date(2024, 7, 6), date(2024, 7, 7)),
        (["fri", "sat", "sun", "mon"], date(2024, 7, 5), date(2024, 7, 8)),
        (list(WEEKDAYS), date(2024, 7, 8), date(2024, 7, 14)),
    ],
)
def test_a_week_begins_after_the_weekend_of_its_exchange(weekdays: list[str], first: date, last: date) -> None:
    tm = own(weekdays=weekdays)

    for day in tm.sessions(first, last):
        (start,), (end,) = tm.expected_bar_times("1w", day)
        assert (start, end) == (tm.session(first).open_ns, tm.session(last).close_ns)
    assert tm.first_session_for_bars("1w", 1, last + timedelta(days=1)) == first
    both = tm.widened("2w", first, first)
    assert len(tm.sessions(*both)) == 2 * len(weekdays)


def test_a_few_saturdays_that_make_up_for_holidays_do_not_move_the_week() -> None:
    tm = own(extra_sessions=["2024-07-13", "2024-07-14"])

    assert tm.widened("1w", date(2024, 7, 10), date(2024, 7, 10)) == (date(2024, 7, 8), date(2024, 7, 14))


@pytest.mark.parametrize("midnight", ["24:00", "00:00"])
def test_midnight_as_a_close_is_the_end_of_the_day(midnight: str) -> None:
    assert hours(own(close=midnight), date(2024, 7, 2)) == ["08:00-03.00:00"]
    assert hours(own(open="00:00", close=midnight), date(2024, 7, 2)) == ["00:00-03.00:00"]


def test_the_whole_day_follows_the_clocks() -> None:
    tm = own(open="00:00", close="24:00", weekdays=list(WEEKDAYS))

    lengths = [len(tm.expected_bar_times("60m", date(2024, 3, day))[0]) for day in (30, 31)]
    assert [*lengths, len(tm.expected_bar_times("60m", date(2024, 10, 27))[0])] == [24, 23, 25]


def test_single_days_open_late_and_close_early() -> None:
    tm = own(
        early_closes={"12-24": "13:00", "2024-12-24": "12:00", "2024-12-31": "15:00"},
        late_opens={"2024-12-31": "10:00"},
        breaks=[{"start": "12:00", "end": "12:30"}],
    )

    assert hours(tm, date(2024, 12, 24)) == ["08:00-12:00"], "what is said of the single day holds"
    assert hours(tm, date(2021, 12, 24)) == ["08:00-12:00", "12:30-13:00"]
    assert hours(tm, date(2024, 12, 31)) == ["10:00-12:00", "12:30-15:00"]


def test_a_close_within_a_break_is_where_the_break_begins() -> None:
    tm = own(early_closes={"2024-07-02": "12:30"}, late_opens={"2024-07-03": "12:30"}, breaks=[_lunch()])

    assert hours(tm, date(2024, 7, 2)) == ["08:00-12:00"]
    assert hours(tm, date(2024, 7, 3)) == ["13:00-17:30"]
    assert tm.session(date(2024, 7, 2)).close_ns == tm.local_ns(date(2024, 7, 2), time(12))


def _lunch() -> dict[str, str]:
    return {"start": "12:00", "end": "13:00"}


def test_an_early_close_of_an_overnight_session_may_lie_on_its_eve() -> None:
    tm = own(open="18:00", close="17:00", early_closes={"2024-07-04": "12:00", "2024-07-05": "22:00"})

    assert hours(tm, date(2024, 7, 4)) == ["03.18:00-12:00"]
    assert hours(tm, date(2024, 7, 5)) == ["04.18:00-04.22:00"]


def test_changes_to_a_known_exchange_leave_the_rest_as_it_is() -> None:
    tm, theirs = like("US_EQUITY", holidays=["2024-07-08"], early_closes={"2024-07-09": "12:00"}), TimeManager("XNYS")
    first, last = date(2024, 7, 1), date(2024, 7, 12)

    assert tm.timezone == theirs.timezone
    assert set(theirs.sessions(first, last)) - set(tm.sessions(first, last)) == {date(2024, 7, 8)}
    assert hours(tm, date(2024, 7, 9)) == ["09:30-12:00"]
    for day in (date(2024, 7, 2), date(2024, 7, 3), date(2024, 7, 10)):
        assert tm.session(day) == theirs.session(day)
    with pytest.raises(CalendarError, match="MINE is known from 1990-01-02 to"):
        tm.sessions(date(1980, 1, 1), last)


def test_own_hours_on_the_days_of_a_known_exchange() -> None:
    tm, theirs = like("CMES", open="17:00", close="16:00"), TimeManager("CMES")
    first, last = date(2023, 1, 1), date(2024, 12, 31)

    assert tm.sessions(first, last) == theirs.sessions(first, last)
    assert hours(tm, date(2024, 7, 8)) == ["07.17:00-16:00"]
    assert {len(s.segments) for s in map(tm.session, tm.sessions(first, last))} == {1}


def test_the_lunch_break_of_a_known_exchange_stays_unless_own_ones_are_given() -> None:
    day = date(2024, 7, 2)

    assert hours(like("XHKG"), day) == ["09:30-12:00", "13:00-16:00"]
    assert hours(like("XHKG", breaks=[]), day) == ["09:30-16:00"]
    assert hours(like("XHKG", open="09:00", close="16:00"), day) == ["09:00-16:00"]
    assert hours(like("XHKG", early_closes={"2024-07-02": "12:30"}), day) == ["09:30-12:00"]
    assert hours(like("XHKG", late_opens={"2024-07-02": "12:30"}), day) == ["13:00-16:00"]
    assert hours(like("XNYS", breaks=[_lunch()]), date(2024, 7, 3)) == ["09:30-12:00"], "13:00 is its early close"


def test_extended_hours_hold_where_the_hours_are_those_of_the_exchange() -> None:
    config = ExchangeConfig(name="MINE", like="XNAS", holidays=("2024-07-08",))
    tm = TimeManager(config, session_hours="extended")

    assert hours(tm, date(2024, 7, 9)) == ["04:00-09:30", "09:30-16:00", "16:00-20:00"]
    with pytest.raises(ConfigError, match="no extended hours are known for the exchange MY_DESK"):
        TimeManager(ExchangeConfig.model_validate(DESK), session_hours="extended")


def test_a_custom_exchange_may_be_based_on_the_forex_week() -> None:
    assert not like("FX", holidays=["2024-07-04"]).is_session(date(2024, 7, 4))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"like": "XNIS"}, "unknown calendar 'XNIS'.*Did you mean"),
        ({"name": "NYSE"}, "'NYSE' belongs to a calendar that is known. Choose another name, and say like: NYSE"),
        ({"early_closes": {"2024-12-25": "13:00"}, "holidays": ["12-25"]}, "early_closes names 2024-12-25, which is"),
        ({"early_closes": {"2024-12-24": "18:00"}}, r"early_closes has 18:00 for 2024-12-24, when no session trades"),
        ({"late_opens": {"12-24": "07:00"}}, r"late_opens has 07:00 for 12-24, when no session trades \(19"),
        (
            {"early_closes": {"2024-12-24": "09:00"}, "late_opens": {"2024-12-24": "10:00"}},
            "opens late and closes early on 2024-12-24",
        ),
        (
            {"extra_sessions": ["2090-01-07"]},
            "extra_sessions has 2090-01-07, but its calendar is known from 1990-01-01",
        ),
        ({"like": "XNYS", "weekdays": ["sun"]}, "MY_DESK has no session at all"),
    ],
)
def test_what_cannot_be_is_told(values: dict[str, Any], message: str) -> None:
    with pytest.raises((ConfigError, UnknownNameError), match=message):
        own(**values)


@pytest.mark.parametrize(
    ("exchange", "message"),
    [
        ({"name": "A"}, "exchange: timezone, open, close must be there, or like: the exchange that it is based on."),
        ({**DESK, "timezone": "Europe/Zurch"}, "exchange.timezone: unknown time zone 'Europe/Zurch'. Did you mean 'Eu"),
        (
            {"name": "A", "like": "XNYS", "open": "09:00"},
            "exchange: open and close go together. Write both, or neither",
        ),
        ({**DESK, "open": "8:00"}, "exchange.open: must be a time of day, not '8:00'"),
        ({**DESK, "opens": "08:00"}, "exchange.opens: unknown key; did you mean 'open'"),
        (
            {**DESK, "weekdays": ["mo"]},
            "exchange.weekdays[0]: unknown weekday 'mo'. Write mon, tue, wed, thu, fri, sat",
        ),
        ({**DESK, "weekdays": []}, "exchange: weekdays is empty. Name at least one, or leave it out."),
        ({**DESK, "holidays": ["25.12."]}, "exchange.holidays[0]: must be a day, not '25.12.'. Write 2024-12-24, or"),
        ({**DESK, "holidays": ["02-30"]}, "exchange.holidays[0]: '02-30' is not a day of the calendar"),
        ({**DESK, "holidays": ["12-25", "12-25"]}, "exchange.holidays: 12-25 occurs more than once"),
        ({**DESK, "early_closes": {"24 Dec": "13:00"}}, "exchange.early_closes.24 Dec: must be a day, not '24 Dec'"),
        ({**DESK, "early_closes": {"12-24": 13}}, "exchange.early_closes.12-24: must be a time of day, not 13"),
        (
            {**DESK, "breaks": [{"start": "12:00", "end": "18:00"}]},
            "exchange: the break from 12:00 to 18:00 does not li",
        ),
        (
            {**DESK, "breaks": [{"from": "12:00", "end": "13:00"}]},
            "exchange.breaks[0].from: unknown key; known here: s",
        ),
        (
            {**DESK, "holidays": ["2024-08-03"], "extra_sessions": ["2024-08-03"]},
            "exchange: 2024-08-03 is both in holidays and in extra_sessions",
        ),
        (["XNYS"], "exchange: is a list, but one config has one exchange"),
    ],
)
def test_a_config_that_cannot_be_read_says_where_and_what_to_do(exchange: Any, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(config_of(exchange))

    assert message in str(caught.value)


def config_of(exchange: Any) -> dict[str, Any]:
    days = {"start_date": "2024-07-01", "end_date": "2024-07-05"}
    return {"exchange": exchange, "backtest_config": days, "session_data_config": {"symbols": ["A"]}}


def test_a_resolved_config_reads_as_the_same() -> None:
    values = {**DESK, "close": "24:00", "holidays": ["12-25"], "early_closes": {"2024-12-24": "13:00"}}
    config = load_config(config_of({**values, "breaks": [_lunch()]}))

    again = load_config(config.resolved())

    assert again.exchange == config.exchange
    assert hash(again.exchange) == hash(config.exchange)
    assert (config.exchange_name, load_config(config_of("XLON")).exchange_name) == ("MY_DESK", "XLON")
    assert TimeManager(again.exchange).session(date(2024, 7, 2)) == TimeManager(config.exchange).session(
        date(2024, 7, 2)
    )


quarters = st.integers(0, 95).map(lambda n: f"{n // 4:02}:{n % 4 * 15:02}")
zones = st.sampled_from(["Europe/Zurich", "America/New_York", "Asia/Tokyo", "Australia/Sydney", "UTC"])


@settings(max_examples=examples(20))
@given(
    quarters,
    quarters,
    zones,
    st.sets(st.sampled_from(WEEKDAYS), min_size=1),
    st.dates(date(1999, 1, 1), date(2026, 6, 1)),
)
def test_any_hours_make_sessions_that_tile(opens: str, closes: str, zone: str, weekdays: set[str], day: date) -> None:
    tm = own(open=opens, close=closes, timezone=zone, weekdays=sorted(weekdays))
    grid = tm.grid(day, day + timedelta(days=30))
    bars = grid.expected_bars(parse_interval("45m"))

    assert {WEEKDAYS[d.weekday()] for d in tm.sessions(day, day + timedelta(days=30))} == weekdays
    assert np.all(grid.open_ns < grid.close_ns)
    assert np.all(grid.close_ns[:-1] <= grid.open_ns[1:])
    assert np.array_equal(np.unique(bars.start_ns[np.isin(bars.start_ns, grid.open_ns)]), grid.open_ns)
    assert np.all(np.isin(grid.close_ns, bars.end_ns))
    for ns, shown in ((grid.open_ns[0], opens), (grid.close_ns[-1], closes)):
        local = datetime.fromtimestamp(int(ns) // 10**9, ZoneInfo(zone))
        assert f"{local:%H:%M}" == shown or _skipped(local, shown)


def _skipped(local: datetime, shown: str) -> bool:
    """Whether the wall clock skips a time on that day, so that it shows a later one instead."""
    wall = datetime.combine(local.date(), time.fromisoformat(shown), local.tzinfo)
    return wall.astimezone(ZoneInfo("UTC")).astimezone(local.tzinfo).time() == local.time()


class TestSpecialSessions:
    """Sessions of single days that are added, moved, lengthened or shortened."""

    def test_a_day_is_added_with_the_usual_hours_and_early_closes_stay(self) -> None:
        tm, theirs = like("CMES", extra_sessions=["2025-04-18"]), TimeManager("CMES")

        assert not theirs.is_session(date(2025, 4, 18))
        assert hours(tm, date(2025, 4, 18)) == ["17.17:00-17:00"]
        assert hours(tm, date(2024, 11, 29)) == hours(theirs, date(2024, 11, 29)) == ["28.17:00-12:00"]
        assert hours(like("XHKG", extra_sessions=["2024-07-06"]), date(2024, 7, 6)) == ["09:30-12:00", "13:00-16:00"]

    def test_an_added_day_may_close_early(self) -> None:
        tm = like("CMES", extra_sessions=["2025-04-18"], early_closes={"2025-04-18": "08:15"})

        assert hours(tm, date(2025, 4, 18)) == ["17.17:00-08:15"]

    def test_an_evening_is_added_outside_the_usual_hours(self) -> None:
        muhurat = {"2024-11-01": {"open": "18:15", "close": "19:15"}, "2024-11-02": {"open": "18:00", "close": "19:00"}}
        tm = like("XBOM", special_sessions=muhurat)

        assert hours(tm, date(2024, 11, 1)) == ["18:15-19:15"]
        assert hours(tm, date(2024, 11, 2)) == ["18:00-19:00"]
        assert len(tm.expected_bar_times("15m", date(2024, 11, 1))[0]) == 4
        assert hours(tm, date(2024, 10, 31)) == ["09:15-15:30"]

    def test_an_early_close_may_be_later_than_the_inherited_one(self) -> None:
        tm = like("CMES", early_closes={"2024-11-29": "12:15", "12-24": "12:15", "2024-07-04": "17:00"})

        assert hours(tm, date(2024, 11, 29)) == ["28.17:00-12:15"]
        assert hours(tm, date(2024, 12, 24)) == ["23.17:00-12:15"]
        assert hours(tm, date(2024, 7, 4)) == ["03.17:00-17:00"]
        with pytest.raises(ConfigError, match=r"early_closes has 17:30 for 2024-07-03, .*special_sessions"):
            like("XNYS", early_closes={"2024-07-03": "17:30"})

    def test_a_session_is_lengthened_and_shortened_at_either_end(self) -> None:
        special = {
            "2024-07-02": {"close": "18:00"},
            "2024-07-03": {"open": "08:00"},
            "2024-07-05": {"open": "12:00", "close": "13:30"},
        }
        tm = like("XNYS", special_sessions=special)

        assert hours(tm, date(2024, 7, 2)) == ["09:30-18:00"]
        assert hours(tm, date(2024, 7, 3)) == ["08:00-13:00"], "its early close stays"
        assert hours(tm, date(2024, 7, 5)) == ["12:00-13:30"]

    @pytest.mark.parametrize(
        ("special", "expected"),
        [
            ({"close": "18:00"}, "07.17:00-07.18:00"),
            ({"close": "12:00"}, "07.17:00-12:00"),
            ({"close": "17:00"}, "07.17:00-17:00"),
            ({"open": "18:00"}, "07.18:00-17:00"),
            ({"open": "16:00"}, "16:00-17:00"),
            ({"open": "17:00"}, "07.17:00-17:00"),
            ({"breaks": []}, "07.17:00-17:00"),
        ],
    )
    def test_the_end_of_an_overnight_session_that_is_left_out_stays(
        self, special: dict[str, Any], expected: str
    ) -> None:
        tm = like("CMES", special_sessions={"2025-01-08": special})

        assert hours(tm, date(2025, 1, 8)) == [expected]
        assert hours(tm, date(2025, 1, 7)) == ["06.17:00-17:00"]

    def test_breaks_stay_as_far_as_they_lie_in_the_hours_unless_own_ones_are_given(self) -> None:
        special = {
            "2024-07-02": {"close": "18:00"},
            "2024-07-03": {"open": "09:00", "close": "15:00", "breaks": [{"start": "10:00", "end": "10:30"}, _lunch()]},
            "2024-07-04": {"breaks": []},
        }
        tm = like("XHKG", special_sessions=special)

        assert hours(tm, date(2024, 7, 2)) == ["09:30-12:00", "13:00-18:00"]
        assert hours(tm, date(2024, 7, 3)) == ["09:00-10:00", "10:30-12:00", "13:00-15:00"]
        assert hours(tm, date(2024, 7, 4)) == ["09:30-16:00"]

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            (
                {"2024-07-03": {"open": "15:00", "close": "14:00"}},
                "session of 2024-07-03 begins before that of 2024-07-02",
            ),
            ({"2090-01-02": {"open": "10:00"}}, "special_sessions has 2090-01-02, but its calendar is known from"),
            (
                {"2024-07-02": {"breaks": [{"start": "17:00", "end": "18:00"}]}},
                "does not lie in the session of 2024-07-02",
            ),
        ],
    )
    def test_hours_that_cannot_be_are_refused(self, values: dict[str, Any], message: str) -> None:
        with pytest.raises(ConfigError, match=message):
            like("XNYS", special_sessions=values)

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            ({"special_sessions": {"2024-07-02": {}}}, "write open, close or breaks"),
            (
                {"special_sessions": {"2024-07-02": {"close": "12:00"}}, "early_closes": {"2024-07-02": "13:00"}},
                "2024-07-02 is both in early_closes and in special_sessions",
            ),
        ],
    )
    def test_what_contradicts_itself_is_refused_with_its_place(self, values: dict[str, Any], message: str) -> None:
        with pytest.raises(ConfigError, match=message):
            load_config(config_of({"name": "A", "like": "XNYS", **values}))

    def test_a_resolved_config_reads_as_the_same(self) -> None:
        special = {"2024-11-01": {"open": "18:15", "close": "19:15"}}
        config = load_config(config_of({"name": "A", "like": "XBOM", "special_sessions": special}))

        assert load_config(config.resolved()).exchange == config.exchange


class TestExtendedHours:
    """Regular hours inside extended ones, for exchanges of the user's own."""

    def test_regular_hours_within_the_sessions_of_another_exchange(self) -> None:
        values = {"name": "ES_RTH", "like": "US_FUTURES", "open": "08:30", "close": "15:00", "breaks": []}
        config = ExchangeConfig.model_validate({**values, "extended": {"like": "US_FUTURES"}})
        rth, whole = TimeManager(config), TimeManager(config, session_hours="extended")

        assert hours(rth, date(2024, 7, 8)) == ["08:30-15:00"]
        assert hours(whole, date(2024, 7, 8)) == ["07.17:00-08:30", "08:30-15:00", "15:00-16:00"]
        assert hours(whole, date(2024, 11, 29)) == ["28.17:00-08:30", "08:30-12:15"], "an early close of Globex"
        assert hours(whole, date(2021, 6, 25))[2:] == ["15:00-15:15", "15:30-16:00"], "with its halt"
        assert not rth.is_session(date(2025, 1, 9)), "Globex closed before the regular hours began"
        assert len(rth.expected_bar_times("30m", date(2024, 7, 8))[0]) == 13

    def test_a_pre_open_and_a_post_close_by_times_of_day(self) -> None:
        extended = {"open": "09:00", "close": "16:00"}
        config = ExchangeConfig.model_validate({"name": "NSE_PRE", "like": "NSE", "extended": extended})
        tm = TimeManager(config, session_hours="extended")

        assert hours(tm, date(2024, 7, 2)) == ["09:00-09:15", "09:15-15:30", "15:30-16:00"]

    def test_days_that_close_early_have_no_post_market_unless_its_end_is_given(self) -> None:
        early = {"early_closes": {"2024-12-24": "12:00"}}
        for more, last in (({}, []), ({"early_close": "13:00"}, ["12:00-13:00"])):
            extended = {"open": "07:00", "close": "18:00", **more}
            config = ExchangeConfig.model_validate({**DESK, **early, "extended": extended})
            tm = TimeManager(config, session_hours="extended")

            assert hours(tm, date(2024, 12, 24)) == ["07:00-08:00", "08:00-12:00", *last]
            assert hours(tm, date(2024, 12, 23)) == ["07:00-08:00", "08:00-17:30", "17:30-18:00"]

    def test_extended_hours_without_times_are_refused(self) -> None:
        for extended in ({}, {"open": "09:00"}, {"like": "CMES", "open": "09:00", "close": "10:00"}):
            with pytest.raises(ConfigError, match=r"exchange\.extended: write open and close, or like"):
                load_config(config_of({**DESK, "extended": extended}))
