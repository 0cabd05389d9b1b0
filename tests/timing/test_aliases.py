"""Names for people: every alias leads to a calendar, says the same everywhere, and hides none."""

from __future__ import annotations

import warnings
from contextlib import suppress
from datetime import date, time, timedelta
from typing import Any

import pytest
from exchange_calendars import get_calendar, get_calendar_names

from openbell.config.exchange import ExchangeConfig
from openbell.errors import ConfigError, UnknownNameError
from openbell.timing import TimeManager
from openbell.timing.calendar_aliases import ALIASES, OWN_CALENDARS
from openbell.timing.calendar_listing import lines_of_days, list_calendars
from openbell.timing.calendars import calendar_names, canonical_name


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        *(("US_EQUITY", "XNYS"), ("US_FUTURES", "CME_GLOBEX"), ("CRYPTO", "24/7"), ("FX", "FOREX"), ("FOREX", "FOREX")),
        *(("LSE", "XLON"), ("TSE", "XTKS"), ("JPX", "XTKS"), ("HKEX", "XHKG"), ("NASDAQ", "XNYS"), ("XNYS", "XNYS")),
    ],
)
def test_an_alias_stands_for_a_calendar(alias: str, name: str) -> None:
    assert canonical_name(alias) == name
    assert TimeManager(alias).exchange == alias
    assert TimeManager(alias).session(date(2024, 7, 2)) == TimeManager(name).session(date(2024, 7, 2))


def test_aliases_lead_to_calendars_and_hide_none() -> None:
    theirs = set(get_calendar_names())

    assert not {*ALIASES, *OWN_CALENDARS} & theirs
    assert {canonical_name(alias) for alias in ALIASES} <= {*theirs, *OWN_CALENDARS}
    assert {*theirs, *ALIASES, *OWN_CALENDARS} == set(calendar_names())


def test_extended_hours_are_known_by_the_alias() -> None:
    session = TimeManager("US_EQUITY", session_hours="extended").session(date(2024, 7, 2))

    assert session.last_ns - session.first_ns == 16 * 3_600_000_000_000


def test_a_name_that_is_near_an_alias_finds_it() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown calendar 'us_equity'\. Did you mean 'US_EQUITY'"):
        TimeManager("us_equity")


def test_the_week_of_currencies_runs_from_sunday_to_friday_at_17_in_new_york() -> None:
    tm = TimeManager("FOREX")

    assert tm.sessions(date(2023, 12, 22), date(2024, 1, 3)) == [
        *(date(2023, 12, d) for d in (22, 26, 27, 28, 29)),
        *(date(2024, 1, d) for d in (2, 3)),
    ]
    for monday in (date(2024, 3, 11), date(2024, 7, 8), date(2024, 11, 4)):
        opens, friday = tm.session(monday).open_ns, monday + timedelta(days=4)
        assert opens == tm.local_ns(monday - timedelta(days=1), time(17))
        assert tm.session(friday).close_ns == tm.local_ns(friday, time(17))
        assert [tm.session(d).close_ns for d in tm.sessions(monday, friday)[:-1]] == [
            tm.session(d).open_ns for d in tm.sessions(monday, friday)[1:]
        ]
    assert tm.day_of(tm.local_ns(date(2024, 7, 7), time(18))) == date(2024, 7, 8)


def test_the_list_has_every_calendar_once_with_all_its_aliases() -> None:
    listed = list_calendars()

    assert [summary.name for summary in listed] == sorted({canonical_name(name) for name in calendar_names()})
    assert sorted([*(s.name for s in listed), *(a for s in listed for a in s.aliases)]) == sorted(calendar_names())


@pytest.mark.parametrize(
    "name",
    [
        *("XHKG", "CMES", "FOREX"),
        *(pytest.param(n, marks=pytest.mark.long) for n in ("XNYS", "XTKS", "XBOM", "XLON", "24/7", "24/5", "XKRX")),
    ],
)
def test_the_hours_of_the_list_are_those_of_a_usual_session(name: str) -> None:
    (summary,) = (summary for summary in list_calendars() if summary.name == name)
    tm = TimeManager(name)
    usual = [x.session for x in lines_of_days(tm, date(2026, 9, 7), date(2026, 9, 18)) if x.session and not x.note][-1]

    shown = [[f"{tm.to_local(ns):%H:%M}" for ns in (s.open_ns, s.close_ns)] for s in usual.segments]

    assert [list(pair) for pair in summary.hours] == [[a, "24:00" if b == "00:00" else b] for a, b in shown]
    assert summary.timezone == str(tm.timezone)
    assert summary.opens_on_eve == (tm.to_local(usual.open_ns).date() < usual.day)


def test_days_out_of_the_ordinary_have_a_note() -> None:
    lines = lines_of_days(TimeManager("US_EQUITY"), date(2024, 7, 1), date(2024, 7, 7))

    assert [(line.day.day, line.session is not None, line.note) for line in lines] == [
        *((1, True, ""), (2, True, ""), (3, True, "closes early"), (4, False, "closed"), (5, True, "")),
    ]


@pytest.mark.parametrize(
    ("exchange", "base"),
    [
        ("XNYS", "XNYS"),
        ("US_FUTURES", "CME_GLOBEX"),
        ("NYMEX", "CMES"),
        ({"name": "OWN", "like": "US_FUTURES", "breaks": [{"start": "12:00", "end": "12:30"}]}, "CME_GLOBEX"),
        ({"name": "OWN", "open": "09:30", "close": "16:00", "timezone": "America/New_York"}, "OWN"),
        (
            {
                "name": "DAYTIME",
                "timezone": "America/Chicago",
                "open": "08:30",
                "close": "15:00",
                "extended": {"like": "US_FUTURES"},
            },
            "CME_GLOBEX",
        ),
    ],
)
def test_own_sessions_know_what_they_are_based_on(exchange: Any, base: str) -> None:
    given = exchange if isinstance(exchange, str) else ExchangeConfig.model_validate(exchange)

    assert TimeManager(given).based_on == base


@pytest.mark.parametrize(
    "name", ["ASEX", *(pytest.param(n, marks=pytest.mark.long) for n in ("XBEL", "XBSE", "XCYS", "XTAE"))]
)
def test_a_calendar_that_cannot_be_built_here_says_why(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pandas, about exchange_calendars
        with suppress(Exception):
            get_calendar(name)
            pytest.skip(f"exchange_calendars can build {name} with this release of pandas")

    with pytest.raises(ConfigError, match=rf"cannot build the calendar {name} here \(.*that work together") as caught:
        TimeManager(name)

    assert caught.value.__cause__ is not None
