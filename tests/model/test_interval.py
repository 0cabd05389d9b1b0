"""The interval algebra: how intervals are read, compared and derived."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from openbell.errors import IntervalError
from openbell.model.interval import (
    BASE_INTERVALS,
    Interval,
    base_candidates,
    builds,
    determine_required_base,
    parse_interval,
    why_underivable,
)

SECONDS = {"s": 1, "m": 60, "h": 3600}


@st.composite
def written(draw: st.DrawFn) -> str:
    """An interval as a person may write it."""
    unit = draw(st.sampled_from("smhdw"))
    longest = 86_399 // SECONDS[unit] if unit in SECONDS else 500
    return f"{draw(st.integers(1, longest))}{unit}"


@given(written())
def test_text_and_value_there_and_back(text: str) -> None:
    interval = parse_interval(text)

    assert parse_interval(str(interval)) == interval
    assert parse_interval(f" {text} ") == interval
    assert isinstance(interval, Interval)


def test_an_upper_case_m_is_a_month_elsewhere_and_refused() -> None:
    with pytest.raises(IntervalError, match="means months"):
        parse_interval("1M")

    assert parse_interval("1H") == parse_interval("60m")


@given(written())
def test_the_canonical_text_keeps_the_length(text: str) -> None:
    interval, unit = parse_interval(text), text[-1]

    if unit in SECONDS:
        assert interval.is_intraday
        assert interval.seconds == int(text[:-1]) * SECONDS[unit]
        assert interval.ns == interval.seconds * 1_000_000_000
    else:
        assert not interval.is_intraday
        assert str(interval) == text


@given(written(), written())
def test_intervals_of_equal_length_within_a_session_are_equal(one: str, other: str) -> None:
    a, b = parse_interval(one), parse_interval(other)
    assume(a.is_intraday and b.is_intraday)

    assert (a == b) == (a.seconds == b.seconds)
    assert (a == b) <= (hash(a) == hash(b))
    assert (a < b) == (a.seconds < b.seconds)


@pytest.mark.parametrize("same", [("1h", "60m", "3600s"), ("2m", "120s"), ("2h", "120m", "7200s")])
def test_hours_minutes_and_seconds_are_one_thing(same: tuple[str, ...]) -> None:
    assert len({parse_interval(text) for text in same}) == 1
    assert len({str(parse_interval(text)) for text in same}) == 1


def test_intervals_sort_from_fine_to_coarse() -> None:
    ascending = ["1s", "5s", "1m", "90s", "5m", "60m", "240m", "1d", "2d", "1w", "2w"]

    assert [str(i) for i in sorted(map(parse_interval, reversed(ascending)))] == ascending


@given(written())
def test_base_intervals_build_what_they_say_exactly(text: str) -> None:
    interval, candidates = parse_interval(text), base_candidates(text)

    assert candidates
    assert set(candidates) <= set(BASE_INTERVALS)
    assert list(candidates) == sorted(candidates, key=parse_interval, reverse=True)
    for base in map(parse_interval, candidates):
        assert base <= interval
        assert not interval.is_intraday or interval.seconds % base.seconds == 0
    assert determine_required_base(text) == candidates[0]


@given(written(), st.sets(st.sampled_from([*BASE_INTERVALS, "5m", "60m"])))
def test_the_required_base_is_the_coarsest_that_is_there(text: str, held: set[str]) -> None:
    usable = [base for base in held if builds(base, text)]
    if usable:
        assert determine_required_base(text, held) == max(usable, key=parse_interval)
    else:
        with pytest.raises(IntervalError, match="cannot be derived"):
            determine_required_base(text, held)


@pytest.mark.parametrize(
    ("interval", "bases"),
    [
        ("1s", ("1s",)),
        ("90s", ("1s",)),
        ("1m", ("1m", "1s")),
        ("5m", ("1m", "1s")),
        ("1h", ("1m", "1s")),
        ("1d", ("1d", "1m", "1s")),
        ("1w", ("1d", "1m", "1s")),
    ],
)
def test_which_bases_build_what(interval: str, bases: tuple[str, ...]) -> None:
    assert base_candidates(interval) == bases


def test_what_cannot_be_derived_says_what_it_needs_and_what_is_there() -> None:
    with pytest.raises(IntervalError, match=r"5s cannot be derived: it needs 1s bars, and the store holds 1m, 1d"):
        determine_required_base("5s", ["1d", "1m"])
    with pytest.raises(IntervalError, match="the store holds nothing"):
        determine_required_base("5m", [])


def test_why_several_intervals_cannot_be_derived_is_told_once() -> None:
    (told,) = why_underivable(["1m", "5m", "1d", "15m", "5m"], ["1d"])
    assert told == (
        "5m, 15m cannot be derived: this needs 1m or 1s bars, and the store holds 1d. "
        "Import 1m bars, or ask for coarser intervals."
    )
    minutes, seconds = why_underivable(["60m", "90s"], ["1d"], ["60m"])
    assert "60m cannot be derived: it needs 1m or 1s bars" in minutes
    assert "Stored 60m bars do not begin at multiples of it" in minutes
    assert "90s cannot be derived: it needs 1s bars" in seconds
    assert "Stored" not in seconds
    (alone,) = why_underivable(["1s", "1s"], ["1m"])
    assert alone.startswith("1s cannot be derived: it needs 1s bars")


@given(st.lists(written()), st.sets(st.sampled_from(BASE_INTERVALS)))
def test_only_of_intervals_that_cannot_be_derived_it_is_told_why(texts: list[str], held: set[str]) -> None:
    told = [text for why in why_underivable(texts, held) for text in why.partition(" cannot")[0].split(", ")]

    lacking = {text for text in texts if held.isdisjoint(base_candidates(text))}
    needed_by_others = {base for text in lacking for base in base_candidates(text) if base != text}
    assert len(told) == len(set(told))
    assert lacking - needed_by_others <= set(told) <= lacking
    assert all(any(base_candidates(text) == base_candidates(name) for name in told) for text in lacking)


@pytest.mark.parametrize(
    "text", ["", "m", "5", "0m", "05m", "-5m", "1.5m", "5x", "5 m", "5mm", "m5", "5M5", "1y", None]
)
def test_what_is_not_an_interval_is_an_error_with_examples(text: str) -> None:
    with pytest.raises(IntervalError, match=r"bad interval .*Write for example 1s, 5m, 1h, 1d or 1w"):
        parse_interval(text)


@pytest.mark.parametrize("text", ["tick", "ticks", "Ticks", "quotes"])
def test_ticks_are_told_apart(text: str) -> None:
    with pytest.raises(IntervalError, match="works on bars, not ticks"):
        parse_interval(text)


@pytest.mark.parametrize("text", ["1440m", "24h", "86400s", "1500m"])
def test_a_day_of_minutes_is_not_a_session(text: str) -> None:
    with pytest.raises(IntervalError, match="Use 1d for sessions"):
        parse_interval(text)


@given(
    st.sampled_from(["1s", "1m", "5m", "60m", "1d", "5d", "7d", "14d", "1w", "2w"]),
    st.sampled_from(["7d", "1w", "2w", "14d", "1m"]),
)
def test_two_intervals_are_in_one_order_or_equal(one: str, other: str) -> None:
    a, b = parse_interval(one), parse_interval(other)

    assert [a < b, a == b, a > b].count(True) == 1
