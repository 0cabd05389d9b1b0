"""Whether a feed is well, judged over all that is subscribed."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbell.feeds.health import HealthJudge, SilenceBounds

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

S = 1_000_000_000
MINUTE = 60 * S
OPEN = 1_381_411_800 * S


class Day:
    """A judge and the time, minute by minute."""

    def __init__(self, shares: Mapping[str, float | None], bounds: SilenceBounds | None = None) -> None:
        self.judge = HealthJudge(bounds)
        self.now_ns = OPEN
        for symbol, share in shares.items():
            self.judge.add(symbol, share)
        self.judge.connected(self.now_ns)
        self.judge.filled(self.now_ns)

    def minute(self, came: Collection[str] = (), phase: str = "") -> str:
        self.now_ns += MINUTE
        self.judge.round_ended(self.now_ns, came, self.now_ns + 2 * S, phase)
        return self.judge.state

    def silent_minutes_until_stale(self, most: int = 600) -> int:
        return next(n for n in range(1, most + 1) if self.minute() == "STALE")


def liquid(n: int) -> dict[str, float | None]:
    return {f"S{i}": 0.99 for i in range(n)}


def trading(shares: Mapping[str, float], rounds: int, draw: random.Random) -> Iterable[set[str]]:
    for _ in range(rounds):
        yield {symbol for symbol, share in shares.items() if draw.random() < share}


def test_a_feed_begins_down_and_fills_before_it_is_live() -> None:
    judge = HealthJudge()
    states = [judge.state]
    judge.connected(OPEN)
    states.append(judge.state)
    judge.filled(OPEN + S)
    states.append(judge.state)
    judge.filling()
    states.append(judge.state)
    judge.lost()
    states.append(judge.state)

    assert states == ["DOWN", "BACKFILLING", "LIVE", "BACKFILLING", "DOWN"]


def test_a_liquid_set_that_says_nothing_is_stale_after_three_minutes() -> None:
    day = Day(liquid(50))

    assert [day.minute(liquid(50)), *(day.minute() for _ in range(4))] == ["LIVE", "LIVE", "LIVE", "STALE", "STALE"]
    assert day.judge.reason.startswith("no bar of 50 symbols for 240 s")


@pytest.mark.parametrize(("count", "minutes"), [(1, 8), (2, 3), (500, 3)])
def test_the_fewer_the_longer(count: int, minutes: int) -> None:
    assert Day(liquid(count)).silent_minutes_until_stale() == minutes


def test_a_quiet_symbol_may_pause_for_twenty_minutes_and_for_a_day() -> None:
    assert Day({"THIN": 0.5}).silent_minutes_until_stale() > 20
    assert Day({"THIN": 0.2}).silent_minutes_until_stale() > 390


def test_many_quiet_symbols_do_not_pause_at_once() -> None:
    assert Day({f"S{n}": 0.2 for n in range(20)}).silent_minutes_until_stale() == 4


def test_a_symbol_that_never_trades_does_not_trip_it() -> None:
    day = Day({"WARRANT": 0.0})

    assert {day.minute() for _ in range(390)} == {"LIVE"}


def test_one_bar_of_anyone_is_a_sign_of_life() -> None:
    day = Day(liquid(50))

    assert {day.minute(["S7"] if n % 3 == 2 else ()) for n in range(390)} == {"LIVE"}


def test_a_late_bar_is_a_sign_of_life_too() -> None:
    day = Day(liquid(50))
    for _ in range(390):
        assert day.minute() == "LIVE"
        day.judge.heard(day.now_ns + 40 * S)


def test_halted_symbols_are_not_waited_for() -> None:
    day = Day(liquid(2) | {"THIN": 0.01})
    for symbol in liquid(2):
        day.judge.halted(symbol, is_halted=True)
    assert {day.minute() for _ in range(300)} == {"LIVE"}
    for symbol in liquid(2):
        day.judge.halted(symbol, is_halted=False)

    assert day.silent_minutes_until_stale() == 3


def test_without_symbols_or_rounds_there_is_nothing_to_wait_for() -> None:
    assert {Day({}).minute() for _ in range(390)} == {"LIVE"}
    day = Day({"SPY": 0.99})  # of which only daily bars are subscribed
    day.judge.heard(OPEN)
    assert day.judge.state == "LIVE"
    day.judge.remove("SPY")
    assert {day.minute() for _ in range(390)} == {"LIVE"}


def test_seconds_without_a_bar_are_no_silence_yet() -> None:
    judge = HealthJudge()
    for symbol in liquid(50):
        judge.add(symbol, 0.99)
    judge.connected(OPEN)
    judge.filled(OPEN)
    states = []
    for second in range(1, 62):
        judge.round_ended(OPEN + second * S, (), OPEN + second * S)
        states.append(judge.state)

    assert states == ["LIVE"] * 59 + ["STALE"] * 2


def test_symbols_that_turn_out_to_pause_are_waited_for_longer() -> None:
    day = Day({"SPY": 0.95})
    waits = []
    for _ in range(2):
        waits.append(day.silent_minutes_until_stale())
        day.judge.lost()
        day.judge.connected(day.now_ns)
        assert day.judge.state == "BACKFILLING"
        day.judge.filled(day.now_ns)
        assert day.judge.state == "LIVE"

    assert waits[0] == 8
    assert waits[1] >= 20


def test_bars_that_history_brings_keep_the_expectation() -> None:
    day = Day({"SPY": 0.95})
    for _ in range(4):
        first_ns = day.now_ns
        assert day.silent_minutes_until_stale() == 8
        day.judge.lost()
        day.judge.connected(day.now_ns)
        day.judge.filled(day.now_ns, {end_ns: ["SPY"] for end_ns in range(first_ns, day.now_ns + 1, MINUTE)})


def test_minutes_without_a_connection_say_nothing_about_symbols() -> None:
    day = Day(liquid(1))
    day.judge.lost()
    assert {day.minute() for _ in range(30)} == {"DOWN"}
    day.judge.connected(day.now_ns)
    day.judge.filled(day.now_ns, {OPEN + n * MINUTE: ["S0"] for n in range(31)})

    assert day.silent_minutes_until_stale() == 8


def test_what_symbols_do_in_one_part_of_the_day_says_nothing_of_another() -> None:
    day = Day({"IBM": None})
    for _ in range(60):
        day.minute(["IBM"], "regular")
        day.minute((), "post")
        day.judge.filled(day.now_ns)
    for _ in range(60):
        assert day.minute((), "post") == "LIVE"
    day.judge.filled(day.now_ns)

    assert next(n for n in range(1, 600) if day.minute((), "regular") == "STALE") <= 9


def test_a_new_symbol_is_neither_liquid_nor_quiet() -> None:
    assert 20 < Day({"NEW": None}).silent_minutes_until_stale() < 120
    assert Day({"NEW": None}, SilenceBounds(unknown_share=0.0)).minute() == "LIVE"


@given(seed=st.integers(0, 2**32), shares=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=20))
def test_a_feed_that_sends_what_trades_does_not_trip(seed: int, shares: list[float]) -> None:
    """A false alarm by chance, one in a million, is too rare to be met."""
    by_symbol = {f"S{n}": share for n, share in enumerate(shares)}
    day = Day(by_symbol)

    assert {day.minute(came) for came in trading(by_symbol, 100, random.Random(seed))} == {"LIVE"}


@given(seed=st.integers(0, 2**32), count=st.integers(5, 100), share=st.floats(0.7, 1.0), minutes=st.integers(60, 200))
def test_a_liquid_feed_that_falls_silent_always_trips(seed: int, count: int, share: float, minutes: int) -> None:
    by_symbol = {f"S{n}": share for n in range(count)}
    day = Day(dict.fromkeys(by_symbol))
    for came in trading(by_symbol, minutes, random.Random(seed)):
        day.minute(came)

    assert day.silent_minutes_until_stale() <= 6


@given(st.lists(st.sampled_from(["bar", "silence", "lost", "connected", "filled", "halt", "resume", "add", "remove"])))
def test_the_connection_rules_over_everything_else(steps: list[str]) -> None:
    day = Day(liquid(3))
    is_connected = True
    for step in steps:
        if step in ("bar", "silence"):
            day.minute(["S1"] if step == "bar" else ())
        elif step in ("halt", "resume"):
            day.judge.halted("S1", is_halted=step == "halt")
        elif step in ("add", "remove"):
            (day.judge.add if step == "add" else day.judge.remove)("S2")
        elif step == "lost":
            day.judge.lost()
            is_connected = False
        elif step == "connected":
            day.judge.connected(day.now_ns)
            is_connected = True
        else:
            day.judge.filled(day.now_ns)
        assert (day.judge.state == "DOWN") is not is_connected
        assert day.judge.reason
