"""No bar waits for additions: they are settled in the time that is left until the next bars are due."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from live.sessions import early
from live.test_sessions_over_a_socket import MINUTE, Stage
from live.virtual_time import S
from openbell.live.session_loop.spare_time import SpareTime

if TYPE_CHECKING:
    from pathlib import Path

MS = 1_000_000


def measured(*steps_ms: int) -> SpareTime:
    """Spare time of a session whose steps took so long."""
    spare, now_ns = SpareTime(), 0
    for took_ms in steps_ms:
        spare.begins(now_ns)
        now_ns += took_ms * MS
        spare.over(now_ns)
    return spare


def test_a_step_is_taken_if_it_is_over_before_the_next_bars_are_due() -> None:
    spare = measured(*(5 for _ in range(8)), 12, 7)
    assert spare.suffices(100 * S, 100 * S + 12 * MS)
    assert not spare.suffices(100 * S, 100 * S + 11 * MS)


def test_bars_that_are_due_and_have_not_come_are_played_first() -> None:
    spare = measured(3)
    assert not spare.suffices(100 * S + MS, 100 * S)


def test_a_long_step_is_forgotten_after_eight_others() -> None:
    spare = measured(9000, *(5 for _ in range(8)))
    assert spare.suffices(100 * S, 100 * S + 5 * MS)


def test_without_any_spare_time_there_is_one_step_between_two_times() -> None:
    spare = measured(2000)
    taken = []
    for second in range(100, 106):  # bars of 1s, each of which is due already
        if spare.suffices(second * S + MS, second * S):
            taken.append(second)
            spare.begins(second * S)
            spare.over(second * S + 2000 * MS)
    assert taken == [101, 103, 105]


@pytest.mark.long
@pytest.mark.parametrize(("answer_ms", "settled_at"), [(-100, "10:17"), (-20, "10:18"), (400, "10:18")])
def test_an_addition_whose_bars_come_around_a_close_lets_the_minute_go_first(
    minute_store: Path, tmp_path: Path, answer_ms: int, settled_at: str
) -> None:
    stage = Stage(tmp_path, minute_store, exchange=early("11:00"))
    asked_ns = stage.session.first_ns + 47 * MINUTE
    # One bar is late, so that the minute is not complete when the answer comes after its close.
    stage.tape.late(1, lambda bar: bar.symbol == "IBM" and stage.end_of(bar) == asked_ns + MINUTE)
    with stage.server() as server:
        stage.time.at(asked_ns - S, lambda: setattr(server, "history_takes_s", 60 + answer_ms / 1000))
        found = stage.play(server, wait_s=200.0)
    assert found.differences == ()
    lines = [json.loads(line) for line in (stage.folder / "run" / "feed.jsonl").read_text().splitlines()]
    (settled,) = [line for line in lines if "settled_ns" in line]
    minutes = (settled["settled_ns"] - stage.session.open_ns) // MINUTE
    assert f"{(570 + minutes) // 60}:{(570 + minutes) % 60}" == settled_at
