"""A session is shown with its hours, its gaps as fine as its bars, and in few lines."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from openbell import DayResult, SystemManager, load_config
from openbell.cli.output.session_view import hours, session_views

if TYPE_CHECKING:
    from pathlib import Path


def day_of(store: Path, interval: str, **more: Any) -> DayResult:
    config = {
        "store": str(store),
        "backtest_config": {"start_date": date(2013, 10, 10), "end_date": date(2013, 10, 10)},
        "session_data_config": {"symbols": ["AIG"], "streams": [interval], **more},
    }
    system = SystemManager(load_config(config))
    (day,) = system.run().days
    assert repr(system).startswith("<SystemManager 'session': 1 session of XNYS, 2013-10-10 to 2013-10-10, store ")
    assert repr(system.session_data) == "<SessionData 2013-10-10: 1 symbols>"
    assert repr(system.data_manager.store) == f"<BarStore {store}: 4 symbols>"
    return day


def shown(day: DayResult) -> str:
    console = Console(width=80, highlight=False)
    with console.capture() as captured:
        for view in session_views(day):
            console.print(view)
    return captured.get()


def test_many_gaps_of_seconds_are_one_short_line_with_seconds(second_store: Path) -> None:
    [line] = [line for line in shown(day_of(second_store, "1s")).splitlines() if line.startswith("missing")]

    assert line == "missing AIG 1s bars: 16,795 in 3,942 gaps, longest 43 from 14:41:26 to 14:42:09"


def test_extended_hours_are_shown_beside_the_regular_ones(second_store: Path) -> None:
    day = day_of(second_store, "1s", session_hours="extended")

    assert hours(day) == "09:30 to 16:00, extended 04:00 to 20:00"
    assert "Session 2013-10-10, 09:30 to 16:00, extended 04:00 to 20:00" in shown(day)


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        ("2024-07-02T00:00:00+00:00", "2024-07-03T00:00:00+00:00", "00:00 to 24:00"),
        ("2024-07-01T17:00:00-05:00", "2024-07-02T16:00:00-05:00", "17:00 on 2024-07-01 to 16:00"),
        ("2024-07-02T09:30:00-04:00", "2024-07-02T13:00:00-04:00", "09:30 to 13:00"),
    ],
)
def test_hours_name_the_day_where_it_is_another(minute_store: Path, start: str, end: str, text: str) -> None:
    opened, closed = datetime.fromisoformat(start), datetime.fromisoformat(end)
    open_ns, close_ns = (int(moment.timestamp()) * 10**9 for moment in (opened, closed))
    times = {"open_ns": open_ns, "close_ns": close_ns, "first_ns": open_ns, "last_ns": close_ns}
    day = replace(day_of(minute_store, "1d"), date=date(2024, 7, 2), zone=opened.tzinfo, **times)

    assert hours(day) == text


def test_locks_of_positions_are_no_rows_of_the_provisioning(minute_store: Path) -> None:
    day = day_of(minute_store, "1m")
    (added,) = day.provisioning
    locks = [
        replace(added, source=source, owner=source, operation_type=operation, reason="open position")
        for source in ("portfolio", "strategy")
        for operation in ("lock", "unlock")
    ]

    rows = [line for line in shown(replace(day, provisioning=(added, *locks))).splitlines() if " done" in line]

    assert [line.split()[1:3] for line in rows] == [["config", "symbol"], ["strategy", "lock"], ["strategy", "unlock"]]


def test_one_bar_is_one_bar(minute_store: Path) -> None:
    assert "\n1 bar streamed, strategies called 0 times\n" in shown(day_of(minute_store, "1d"))
