"""Calendar or data? Bars beyond the calendar and sessions without bars are told before a run, and where it ends."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from how_many import examples
from made_actions import actions
from made_bars import made_store
from openbell.actions import ActionStore
from openbell.cli.app import app
from openbell.config import load_config
from openbell.engine.observer import SessionObserver
from openbell.engine.system import SystemManager
from openbell.quality.calendar_fit import bars_beyond_calendar, questions_of_calendar, sessions_without_bars
from openbell.store.store import BarStore
from openbell.testing import random_bars
from openbell.timing import TimeManager

if TYPE_CHECKING:
    from pathlib import Path

FIRST, LAST = date(2024, 6, 3), date(2024, 7, 31)
XNYS = TimeManager("XNYS")


def day_of(start_ns: int) -> date:
    """The date in UTC, which in New York's and in Bombay's hours is that of the session."""
    return datetime.fromtimestamp(start_ns // 10**9, UTC).date()


def store_without(folder: Path, *holes: str, symbols: str = "A B", intervals: str = "1m 1d", **made: Any) -> BarStore:
    """Bars of June and July 2024; a hole is a date, or only of some series: ``2024-07-02 A``, ``2024-07-02 1m``."""

    def keep(symbol: str, interval: str, start_ns: int) -> bool:
        day = str(day_of(start_ns))
        return not {day, f"{day} {symbol}", f"{day} {interval}"} & set(holes)

    return BarStore.open(
        made_store(folder, symbols.split(), str(FIRST), str(LAST), intervals=intervals.split(), keep=keep, **made)
    )


def config_of(store: BarStore, first: str, last: str, **session: Any) -> dict[str, Any]:
    exchange = session.pop("exchange", "XNYS")
    return {
        "exchange": exchange,
        "store": str(store.path),
        "backtest_config": {"start_date": first, "end_date": last},
        "session_data_config": {"symbols": ["A", "B"], **session},
    }


def test_a_session_is_missing_when_no_symbol_has_any_bar_of_it(tmp_path: Path) -> None:
    holes = ("2024-07-02", "2024-07-03", "2024-07-09 A", "2024-07-10 1m", "2024-07-11 1d")
    store = store_without(tmp_path / "store", *holes)

    assert sessions_without_bars(store, XNYS, ["A", "B"], FIRST, LAST) == [date(2024, 7, 2), date(2024, 7, 3)]
    assert sessions_without_bars(store, XNYS, ["A"], FIRST, LAST) == [date(2024, 7, d) for d in (2, 3, 9)]
    assert sessions_without_bars(store, XNYS, ["A", "B"], date(2024, 7, 3), date(2024, 7, 3)) == [date(2024, 7, 3)]
    assert sessions_without_bars(store, XNYS, ["B"], date(2024, 7, 6), date(2024, 7, 7)) == []
    assert sessions_without_bars(store, XNYS, ["NOBODY"], FIRST, LAST) == []


@pytest.fixture(scope="module")
def sparse(tmp_path_factory: pytest.TempPathFactory) -> tuple[BarStore, dict[str, set[date]]]:
    """A store with bars of random sessions, and which those are by symbol."""
    dice, days = np.random.default_rng(7), XNYS.sessions(FIRST, LAST)
    kept = {symbol: {day for day in days if dice.random() < 0.5} for symbol in "ABCD"}

    def keep(symbol: str, interval: str, start_ns: int) -> bool:
        return (day := day_of(start_ns)) in kept[symbol] and (interval == "1d") == (day.day % 2 == 0)

    return BarStore.open(
        made_store(tmp_path_factory.mktemp("sparse") / "s", kept, str(FIRST), str(LAST), keep=keep)
    ), kept


@settings(max_examples=examples(20))
@given(symbols=st.sets(st.sampled_from("ABCD"), min_size=1), first=st.dates(FIRST, LAST), days=st.integers(0, 60))
def test_the_missing_sessions_are_those_that_looking_at_each_bar_finds(
    sparse: tuple[BarStore, dict[str, set[date]]], symbols: set[str], first: date, days: int
) -> None:
    store, kept = sparse
    last = first + timedelta(days=days)

    expected = [d for d in XNYS.sessions(first, last) if not any(d in kept[symbol] for symbol in symbols)]

    assert sessions_without_bars(store, XNYS, sorted(symbols), first, last) == expected


def test_the_question_names_the_days_and_both_remedies(tmp_path: Path) -> None:
    store = store_without(tmp_path / "store", "2024-07-02", "2024-07-11 A", "2024-07-12 A")

    asked = questions_of_calendar(store, XNYS, ["A"], FIRST, LAST)

    remedies = "Calendar or data? If the exchange was open, import {} bars; if it was closed, write exchange: {{name: "
    remedies += "MY_EXCHANGE, like: XNYS, holidays: [{}]}}."
    alone = "2024-07-02 is a session of the calendar XNYS, but A has no bars on it. "
    both = (
        "2024-07-11 to 2024-07-12 are 2 sessions of the calendar XNYS, but A has no bars on them (the store has bars "
    )
    assert asked == [
        alone + remedies.format("its", "2024-07-02"),
        both + "of B then). " + remedies.format("their", "2024-07-11, 2024-07-12"),
    ]


@pytest.mark.parametrize("intervals", ["1m 1d", "1m", "1s"])
def test_bars_on_closed_days_are_asked_about(tmp_path: Path, intervals: str) -> None:
    """Made by a calendar that knows Saturday the 8th of June and the 4th of July as sessions."""
    open_days = ("2024-06-08", "2024-07-04")
    store = BarStore.open_or_create(tmp_path / "store")
    for interval in intervals.split():
        days = [*XNYS.sessions(FIRST, date(2024, 7, 8)), *map(date.fromisoformat, open_days)]
        step = 1 if interval == "1d" else 30
        noon = [int(datetime.combine(day, time(15), UTC).timestamp()) * 10**9 for day in sorted(days)]
        starts = [
            ns - 15 * 3600 * 10**9 if interval == "1d" else ns + k * 10**9 * 60 for ns in noon for k in range(step)
        ]
        store.write("A", interval, random_bars(np.unique(starts)))

    questions = questions_of_calendar(store, XNYS, ["A"], FIRST, date(2024, 7, 8))

    assert len(questions) == 1
    assert questions[0].startswith("2024-06-08, 2024-07-04 are no sessions of the calendar XNYS, but A has ")
    assert questions_of_calendar(store, XNYS, ["A"], date(2024, 6, 10), date(2024, 7, 3)) == []


def test_many_questions_are_told_in_short(tmp_path: Path) -> None:
    holes = [f"2024-07-{day:02}" for day in (1, 3, 8, 10, 12, 16, 18, 19)]
    store = store_without(tmp_path / "store", *holes)

    asked = questions_of_calendar(store, XNYS, ["A", "B"], FIRST, LAST)

    assert len(asked) == 6
    assert asked[-1] == "the same of 3 more sessions, the last on 2024-07-19."


def test_the_holiday_of_the_remedy_answers_the_question(tmp_path: Path) -> None:
    store = store_without(tmp_path / "store", "2024-07-02")
    values = config_of(store, "2024-07-01", "2024-07-05")
    own = {"name": "MY_EXCHANGE", "like": "XNYS", "holidays": ["2024-07-02"]}

    asked = SystemManager(load_config(values)).run()
    summary = SystemManager(load_config({**values, "exchange": own})).run()

    question, empty = asked["warnings"]
    assert question.startswith("2024-07-02 is a session of the calendar XNYS, but none of the 2")
    assert empty == "no symbol had a bar on 2024-07-02"
    assert [day["date"] for day in summary["days"]] == ["2024-07-01", "2024-07-03", "2024-07-05"]
    assert (summary["exchange"], summary["warnings"]) == ("MY_EXCHANGE", [])


def test_days_on_which_a_symbol_had_another_name_are_no_question(tmp_path: Path) -> None:
    days = XNYS.sessions(FIRST, LAST)
    until_rename, since = ([f"{day} {s}" for day in days if (day < days[20]) == (s == "B")] for s in "AB")
    store = store_without(tmp_path / "store", *until_rename, *since, "2024-06-10")
    asked = questions_of_calendar(store, XNYS, ["B"], FIRST, LAST)
    ActionStore(store.path).write(actions(("A", days[20], "rename", "B")))

    assert [text[:24] for text in asked] == [f"{FIRST} to {days[19]}"]
    for symbol in "AB":
        (asked_again,) = questions_of_calendar(store, XNYS, [symbol], FIRST, LAST)
        assert asked_again.startswith(f"2024-06-10 is a session of the calendar XNYS, but {symbol} has no bars on it. ")


def test_own_sessions_are_told_to_get_a_holiday(tmp_path: Path) -> None:
    store = store_without(tmp_path / "store", "2024-07-02", "2024-07-03")
    own = load_config(config_of(store, "2024-07-01", "2024-07-05", exchange={"name": "MINE", "like": "XNYS"}))

    asked = questions_of_calendar(store, TimeManager(own.exchange), ["A"], FIRST, LAST)

    assert asked[0].endswith("if it was closed, add to the exchange's holidays: 2024-07-02, 2024-07-03.")


class Ear(SessionObserver):
    def __init__(self) -> None:
        self.heard: list[str] = []

    def warned(self, warning: str) -> None:
        self.heard.append(warning)

    def day_started(self, day: date) -> None:
        self.heard.append(str(day))


def test_holes_of_run_and_history_are_told_before_the_first_session(tmp_path: Path) -> None:
    store = store_without(tmp_path / "store", "2024-06-27", "2024-07-09")
    ear = Ear()
    historical = {"data": [{"trailing_days": 4, "intervals": ["1m"]}]}
    config = load_config(config_of(store, "2024-07-02", "2024-07-09", historical=historical))

    SystemManager(config, observer=ear).run()

    assert [text[:10] for text in ear.heard[:3]] == ["2024-06-27", "2024-07-09", "2024-07-02"]
    assert ear.heard[-1] == "no symbol had a bar on 2024-07-09"
    assert "Calendar or data" in ear.heard[0]


def test_history_before_the_first_stored_bar_is_no_question(tmp_path: Path) -> None:
    store = store_without(tmp_path / "store")
    historical = {"data": [{"trailing_days": 30, "intervals": ["1d"]}]}

    system = SystemManager(load_config(config_of(store, "2024-06-10", "2024-06-11", historical=historical)))

    assert system.warnings == ()
    assert system.plan()["warnings"] == []


def test_bars_after_the_end_of_the_calendar_are_a_warning(tmp_path: Path) -> None:
    tm = TimeManager("XBOM")
    store = store_without(tmp_path / "store", exchange="XBOM")
    beyond = np.datetime64(tm.last_day + timedelta(days=9), "ns").astype(np.int64)
    for symbol in ("A", "OTHER"):
        store.write(symbol, "1d", random_bars(np.array([beyond])))

    (text,) = bars_beyond_calendar(store, tm, ["A", "B"])

    until = tm.last_day + timedelta(days=9)
    assert text.startswith(
        f"the calendar XBOM ends on {tm.last_day}, but the store has bars of A until {until}. They are"
    )
    assert text.endswith(
        "A newer release of exchange_calendars may know these days; or write sessions of your own under exchange."
    )
    assert bars_beyond_calendar(store, tm, ["B"]) == []


def test_bars_before_the_beginning_of_the_calendar_are_a_warning(tmp_path: Path) -> None:
    store = BarStore.open_or_create(tmp_path / "store")
    store.write("A", "1d", random_bars(np.array([np.datetime64("1996-12-30", "ns").astype(np.int64)])))

    (text,) = bars_beyond_calendar(store, TimeManager("XBOM"), ["A"])

    assert text.startswith("the calendar XBOM begins on 1997-01-01, but the store has bars of A from 1996-12-30.")


def test_the_last_evening_of_a_calendar_is_not_beyond_it(tmp_path: Path) -> None:
    tm = TimeManager("XNYS", session_hours="extended")
    late = tm.session(tm.last_day).last_ns - 60_000_000_000  # 19:59 in New York, the next day in UTC
    store = BarStore.open_or_create(tmp_path / "store")
    store.write("A", "1m", random_bars(np.array([late])))

    assert bars_beyond_calendar(store, tm, ["A"]) == []


def test_a_damaged_file_is_told_by_who_needs_it(tmp_path: Path) -> None:
    store = store_without(tmp_path / "store", "2024-07-02", intervals="1m", symbols="A")
    for file in store.path.rglob("*.parquet"):
        if file.parent != store.path:
            file.write_bytes(b"nothing")

    assert sessions_without_bars(BarStore.open(store.path), XNYS, ["A"], FIRST, LAST) == []


@pytest.mark.parametrize("command", ["check", "plan", "run"])
def test_commands_warn_on_stderr_and_in_json(tmp_path: Path, command: str) -> None:
    tm = TimeManager("XBOM")
    store = store_without(tmp_path / "store", "2024-06-28", exchange="XBOM")
    store.write(
        "A", "1d", random_bars(np.array([np.datetime64(tm.last_day + timedelta(days=9), "ns").astype(np.int64)]))
    )
    historical = {"data": [{"trailing_days": 3, "intervals": ["1d"]}]}
    path = tmp_path / "session.json"
    path.write_text(json.dumps(config_of(store, "2024-07-02", "2024-07-03", exchange="XBOM", historical=historical)))
    options = ["--out", str(tmp_path / "run")] if command == "run" else []

    result = CliRunner().invoke(app, [command, str(path), "--json", *options])

    assert result.exit_code == 0, result.stderr
    warnings = json.loads(result.stdout)["warnings"]
    assert len(warnings) == (1 if command == "check" else 2)
    assert all(f"warning: {warning}" in result.stderr for warning in warnings)
    if command == "run":
        assert json.loads((tmp_path / "run" / "summary.json").read_text())["warnings"] == warnings
