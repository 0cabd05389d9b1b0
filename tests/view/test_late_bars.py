"""Bars of a live session that came late or were corrected are shown as they were seen at each moment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from openbell.model.feed_events import FeedBar
from view.test_live import going_on

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from openbell.model.json_object import JsonObject
    from view.conftest import Served

pytestmark = pytest.mark.long

DAY = "2024-03-12"
S = 10**9


def with_late_bars(folder: Path) -> tuple[FeedBar, FeedBar]:
    """Let the record of a run have the 10:00 bar come after 10:04, and correct that of 10:20 after 10:23.

    Returns:
        The late bar, and the other as it was before.
    """
    lines = [json.loads(line) for line in (folder / "feed.jsonl").read_text().splitlines()]
    first = next(line["start_ns"] for line in lines if "session" in line)
    late_start, wrong_start = first + 30 * 60 * S, first + 50 * 60 * S
    made: list[JsonObject] = []
    found: dict[int, list[object]] = {}
    for line in lines:
        bars = line.get("bars", [])
        for bar in list(bars):
            if bar[2] == late_start:
                bars.remove(bar)
                found[late_start] = [*bar[:8], "late"]
            if bar[2] == wrong_start:
                found[wrong_start] = [*bar[:8], "revised"]
                bar[3:8] = [bar[3], bar[4] + 1.0, bar[5], bar[6] + 0.5, 1.0]
                wrong = FeedBar(*bar[:8])
        made.append(line)
        for start, minutes in ((late_start, 35), (wrong_start, 54)):
            if line.get("played_ns") == first + minutes * 60 * S:
                made.append({"played_ns": line["played_ns"], "late": True, "bars": [found[start]]})
                made.append({"looked_ns": line["played_ns"]})
    (folder / "feed.jsonl").write_text("".join(json.dumps(line) + "\n" for line in made))
    return FeedBar(*found[late_start][:8]), wrong  # type: ignore[arg-type]


def test_what_came_late_is_seen_from_then_on_and_what_was_corrected_as_it_was(
    start_server: Callable[..., Served], tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    with going_on(runs / "followed", speed=None):
        pass
    late, wrong = with_late_bars(runs / "followed")
    served = start_server(runs)
    run = served.ids()["followed"]

    minutes = served.chart(run, "ALFA", day=DAY, interval="1m")
    fives = served.chart(run, "ALFA", day=DAY, interval="5m")

    first = minutes["time"][0]
    before = {one["row"]: one for one in minutes["before"] if one["own"]}
    assert {row: one["until"] - first for row, one in before.items()} == {30: 35 * 60 + 1, 50: 54 * 60 + 1}
    assert before[30]["bar"] is None
    assert before[50]["bar"]["close"] == wrong.close != minutes["close"][50]
    assert round(late.close, 4) == round(minutes["close"][30], 4)
    # Of 5m, that of 10:00 closed at 10:05 without its first minute; that of 10:20 had not closed.
    own = {one["row"]: one for one in fives["before"] if one["own"]}
    assert list(own) == [6]
    assert abs(own[6]["bar"]["open"] - minutes["open"][31]) < 1e-3
    assert own[6]["bar"]["volume"] == sum(minutes["volume"][31:35])
