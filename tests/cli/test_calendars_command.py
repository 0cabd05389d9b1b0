"""`openbell calendars`: the list, the sessions of one, and what cannot be shown."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from openbell.cli.app import app
from openbell.cli.terminal.console import out
from openbell.timing.calendars import calendar_names

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _hundred_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """The console took its width when it was made, before any test could say one."""
    monkeypatch.setattr(out, "width", 100)


def told(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["calendars", *arguments])

    assert result.exit_code == code, result.output
    return result.stderr if code else result.stdout


def test_the_list_names_every_calendar_and_alias() -> None:
    words = set(told().split())

    assert set(calendar_names()) <= words
    assert max(map(len, told().splitlines())) <= 100


def test_the_list_as_json() -> None:
    by_name = {entry["name"]: entry for entry in json.loads(told("--json"))}

    assert by_name["XHKG"] == {
        "name": "XHKG",
        "aliases": ["HKEX", "HK_EQUITY"],
        "timezone": "Asia/Hong_Kong",
        "hours": [["09:30", "12:00"], ["13:00", "16:00"]],
        "opens_on_eve": False,
    }
    assert by_name["CMES"]["opens_on_eve"]


def test_the_sessions_of_one() -> None:
    lines = told("US_EQUITY", "--from", "2024-07-02", "--to", "2024-07-05").splitlines()

    assert lines[0].startswith("US_EQUITY  America/New_York, known from 1990-01-02 to ")
    assert [" ".join(line.split()) for line in lines[3:]] == [
        "2024-07-02 Tue 09:30-16:00 13:30-20:00",
        "2024-07-03 Wed closes early 09:30-13:00 13:30-17:00",
        "2024-07-04 Thu closed",
        "2024-07-05 Fri 09:30-16:00 13:30-20:00",
    ]


def test_a_session_that_opens_on_the_evening_before_names_the_weekday() -> None:
    (line,) = told("CMES", "--from", "2024-07-08", "--to", "2024-07-08").splitlines()[3:]

    assert " ".join(line.split()) == "2024-07-08 Mon Sun 17:00-17:00 Sun 22:00-22:00"


def test_the_sessions_of_one_as_json() -> None:
    assert json.loads(told("HKEX", "--from", "2024-12-24", "--to", "2024-12-25", "--json"))["days"] == [
        {
            "date": "2024-12-24",
            "note": "closes early",
            "segments": [["2024-12-24T09:30:00+08:00", "2024-12-24T12:00:00+08:00"]],
        },
        {"date": "2024-12-25", "note": "closed", "segments": []},
    ]


@pytest.mark.parametrize("name", ["XNYS", "24/7", "XBOM"])
def test_without_days_the_next_five_sessions_are_shown(name: str) -> None:
    days = json.loads(told(name, "--json"))["days"]

    assert len([day for day in days if day["segments"]]) <= 5


def test_the_exchange_of_a_config(tmp_path: Path) -> None:
    config = tmp_path / "desk.yaml"
    config.write_text(
        'exchange: {name: DESK, timezone: Europe/Zurich, open: "08:00", close: "24:00", holidays: [2024-07-03]}\n'
        "backtest_config: {start_date: 2024-07-01, end_date: 2024-07-02}\n"
        "session_data_config: {symbols: [A]}\n"
    )

    lines = told(str(config), "--from", "2024-07-02", "--to", "2024-07-03").splitlines()

    assert [" ".join(line.split()) for line in lines[3:]] == [
        "2024-07-02 Tue 08:00-24:00 06:00-22:00",
        "2024-07-03 Wed closed",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["XNIS"], "error: unknown calendar 'XNIS'. Did you mean"),
        (["XNYS", "--from", "2024-07-04", "--to", "2024-07-01"], "error: --to 2024-07-01 is before --from 2024-07-04."),
        (["--from", "2024-07-04"], "error: --from and --to show the sessions of one calendar; name it: openbell cal"),
        (["missing.yaml"], "error: missing.yaml is not there."),
    ],
)
def test_what_cannot_be_shown(arguments: list[str], message: str) -> None:
    assert told(*arguments, code=2).startswith(message)


def test_what_is_no_day_is_refused() -> None:
    refused = told("XNYS", "--from", "7/4/2024", code=2)

    assert "Invalid value for '--from': '7/4/2024' is not a day. Write for example 2024-07-03." in refused


@pytest.mark.parametrize("option", ["--from", "--to"])
def test_days_outside_the_calendar(option: str) -> None:
    day = {"--from": "1980-01-01", "--to": "2150-01-01"}[option]

    assert f"{day} is outside the calendar: XNYS is known from" in told("XNYS", option, day, code=2)
    assert f"{day} is outside the calendar" in told("XNYS", "--from", day, "--to", day, code=2)


def test_a_calendar_that_does_not_have_today_is_no_bad_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time_ns", lambda: int(datetime(1980, 1, 2, 18, tzinfo=UTC).timestamp()) * 1_000_000_000)

    assert "1980-01-02 is outside the calendar" in told("XNYS", code=1)
    assert "1980-01-02 is outside the calendar" in told("XNYS", "--to", "1980-01-02", code=2)


def test_days_outside_own_sessions(tmp_path: Path) -> None:
    config = tmp_path / "desk.yaml"
    config.write_text(
        'exchange: {name: DESK, timezone: Europe/Zurich, open: "08:00", close: "24:00"}\n'
        "backtest_config: {start_date: 2024-07-01, end_date: 2024-07-02}\n"
        "session_data_config: {symbols: [A]}\n"
    )

    refused = told(str(config), "--from", "2150-01-01", code=2)

    assert "2150-01-01 is outside the calendar: DESK is known from" in refused
