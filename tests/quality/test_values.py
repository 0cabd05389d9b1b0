"""Bars with unlikely or impossible values: repeated, contradictory, stale, spiking, unlike the day, split."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbell.market_data.aggregate import aggregate
from openbell.model.bars import COLUMNS, Bars
from openbell.model.interval import parse_interval
from openbell.quality.daily import daily_prices, daily_volumes, near_daily, outside_daily, unlike_daily
from openbell.quality.repeats import contradictions, duplicates
from openbell.quality.score import Score, doubtful_rows, score
from openbell.quality.spikes import spikes
from openbell.quality.splits import daily_sums, undeclared_splits
from openbell.quality.stale import runs_of, stale
from quality.made import bars, series, times, without

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from openbell.quality.finding import Finding
    from openbell.quality.series import Series

MINUTE = parse_interval("1m")
PRICES = ("open", "high", "low", "close")


def splits_of(one: Series, declared: Collection[int] = ()) -> list[Finding]:
    return undeclared_splits(daily_sums(one), one.grid, declared)


def score_of(one: Series, found: Sequence[Finding]) -> Score:
    return score(len(one.expected), int(one.present.sum()), found)


def daily_of(frame: pl.DataFrame) -> Bars:
    one = series(frame)
    return aggregate(one.bars, one.grid, parse_interval("1d"), base=MINUTE)


def changed(one: Bars, **columns: np.ndarray) -> Bars:
    return Bars(**{name: columns.get(name, getattr(one, name)) for name in COLUMNS})


class TestRows:
    def test_good_bars_have_no_finding(self) -> None:
        for interval, sessions in (("1m", 3), ("1d", 60), ("1s", 1)):
            one = series(bars(interval, sessions), interval)
            assert [*duplicates(one), *contradictions(one), *stale(one), *spikes(one), *splits_of(one)] == []

    def test_times_that_come_twice_are_counted(self) -> None:
        frame = bars()
        other = times(frame[5:6], 0, "volume", 2.0)

        (found,) = duplicates(series(pl.concat([frame, frame[:3], other])))

        assert found.bars == 4
        assert found.text == "4 times come more than once; 2 of these rows differ in values"

    def test_contradictions_are_told_by_reason(self) -> None:
        frame = times(times(bars(), 7, "high", 0.5), 9, "volume", -1.0)

        found = contradictions(series(frame))

        assert {f.text for f in found} == {"the high is below the low", "the volume is negative"}
        assert sorted(int(f.blamed[0]) for f in found) == sorted(series(bars()).bars.timestamp[[7, 9]].tolist())


class TestStale:
    def flat(self, interval: str, sessions: int, rows: slice, volume: float = 1.0) -> pl.DataFrame:
        frame = bars(interval, sessions)
        still = pl.int_range(pl.len()).is_between(rows.start, rows.stop - 1)
        price = frame["close"][rows.start]
        return frame.with_columns(
            *(pl.when(still).then(price).otherwise(pl.col(c)).alias(c) for c in ("open", "high", "low", "close")),
            pl.when(still).then(pl.col("volume") * volume).otherwise(pl.col("volume")).alias("volume"),
        )

    @pytest.mark.parametrize(("interval", "sessions", "least"), [("1m", 3, 30), ("1d", 60, 5), ("1s", 1, 300)])
    def test_a_price_that_stands_still_is_found_from_a_length_on(
        self, interval: str, sessions: int, least: int
    ) -> None:
        short = series(self.flat(interval, sessions, slice(20, 20 + least - 1)), interval)
        long = series(self.flat(interval, sessions, slice(20, 20 + least)), interval)

        assert stale(short) == []
        assert [f.bars for f in stale(long)] == [least]

    def test_without_volume_the_source_is_asked(self) -> None:
        (found,) = stale(series(self.flat("1m", 3, slice(10, 60), volume=0.0)))

        assert "filled by the source?" in found.text

    @given(st.integers(0, 10))
    def test_what_is_usual_for_a_series_is_not_stale(self, seed: int) -> None:
        """Four of five minutes repeat the price; by chance, more than 30 in a row do."""
        moves = np.random.default_rng(seed).random(1170) < 0.2
        price = pl.Series(100.0 + np.cumsum(moves) % 5)

        assert stale(series(bars().with_columns(price.alias(c) for c in PRICES))) == []

    @given(st.lists(st.booleans(), max_size=50))
    def test_runs_cover_exactly_what_is_true(self, mask: list[bool]) -> None:
        covered = [i for a, b in runs_of(np.array(mask, np.bool_)) for i in range(a, b)]

        assert covered == [i for i, m in enumerate(mask) if m]


class TestSpikes:
    @given(st.integers(1, 1168), st.sampled_from([("high", 1.02), ("low", 0.98)]))
    def test_a_leap_and_back_is_found(self, row: int, leap: tuple[str, float]) -> None:
        (found,) = spikes(series(times(bars(), row, *leap)))

        assert found.blamed.tolist() == [series(bars()).bars.timestamp[row]]
        assert found.text.startswith(f"the {leap[0]} ")

    def test_a_step_that_stays_is_none(self) -> None:
        later = pl.int_range(pl.len()) >= 500
        frame = bars().with_columns(
            pl.when(later).then(pl.col(c) * 1.1).otherwise(pl.col(c)).alias(c) for c in ("open", "high", "low", "close")
        )

        assert spikes(series(frame)) == []

    def test_a_wild_market_has_wider_limits(self) -> None:
        one = series(bars("1d", 60), "1d")
        assert len(spikes(series(times(bars("1d", 60), 30, "high", 1.12), "1d"))) == 1
        wild = one.bars
        wild = changed(wild, high=wild.high * 1.05, low=wild.low * 0.95)
        wild = changed(wild, high=np.where(np.arange(60) == 30, wild.high * 1.12, wild.high))

        assert not len(doubtful_rows(wild, one.interval))


class TestDaily:
    def test_bars_that_sum_to_the_day_have_no_finding(self) -> None:
        one, daily = series(bars()), daily_of(bars())

        assert unlike_daily(one, daily) == []

    def test_a_print_beyond_the_day_is_found_where_it_is(self) -> None:
        one = series(times(bars(), 600, "high", 1.05))

        (found,) = outside_daily(one, daily_of(bars()))

        assert found.blamed.tolist() == [one.bars.timestamp[600]]
        assert "above the high of the daily bar" in found.text

    def test_another_price_basis_is_told_once(self) -> None:
        one = series(bars())
        halved = changed(daily_of(bars()), **{name: getattr(daily_of(bars()), name) / 2 for name in PRICES})

        (found,) = unlike_daily(one, halved)

        assert (found.kind, found.severity) == ("other_basis", "serious")
        assert "on different price bases" in found.text
        assert score_of(one, [found]).percent == 50.0

    @pytest.mark.parametrize(
        ("name", "within", "beyond"), [("high", 1.0008, 1.003), ("low", 0.9992, 0.997), ("open", 1.002, 1.004)]
    )
    def test_prices_may_differ_by_a_tolerance(self, name: str, within: float, beyond: float) -> None:
        one, daily = series(bars()), daily_of(bars())
        near = changed(daily, **{name: getattr(daily, name) * within})
        far = changed(daily, **{name: getattr(daily, name) * beyond})

        assert daily_prices(one, near) == []
        (found,) = daily_prices(one, far)
        assert (found.kind, found.bars) == ("daily_price", 3)
        assert f"the {name} of the 1m bars is" in found.text

    @pytest.mark.parametrize(("share", "found"), [(0.74, 1), (0.76, 0), (1.04, 0), (1.06, 1)])
    def test_volumes_may_sum_to_75_to_105_percent(self, share: float, found: int) -> None:
        one, daily = series(bars()), daily_of(bars())

        assert len(daily_volumes(one, changed(daily, volume=daily.volume / share))) == found

    def test_what_differs_within_the_tolerances_is_a_note_with_how_far_and_where(self) -> None:
        one, daily = series(bars()), daily_of(bars())
        first, second = np.array([1.002, 1, 1]), np.array([1, 1.0005, 1])
        near = changed(daily, open=daily.open * first, high=daily.high * second, volume=daily.volume / [0.9, 0.8, 1])

        (found,) = unlike_daily(one, near)

        assert (found.kind, found.severity, found.bars, len(found.blamed)) == ("daily_near", "note", 2, 0)
        assert (found.start_ns, found.end_ns) == (daily.timestamp[0], daily.end[1])
        assert "the open by up to 0.20 %, the high by up to 0.05 %, volumes sum to 80.0 to 90.0 %" in found.text
        (quotes,) = near_daily(one, changed(near, volume=daily.volume * 0))
        assert quotes.text.endswith("the high by up to 0.05 %")
        assert near_daily(one, changed(daily, open=daily.open * 1.004)) == [], "that is told as daily_price"

    def test_a_session_with_a_long_gap_is_not_compared(self) -> None:
        one = series(without(bars(), range(400, 500)))

        assert [*daily_prices(one, daily_of(bars())), *daily_volumes(one, daily_of(bars()))] == []


class TestSplits:
    def split(self, ratio: float, row: int = 30, *, volumes: bool = True) -> pl.DataFrame:
        later = pl.int_range(pl.len()) >= row
        return bars("1d", 60).with_columns(
            *(pl.when(later).then(pl.col(c) / ratio).otherwise(pl.col(c)).alias(c) for c in PRICES),
            pl.when(later & volumes).then(pl.col("volume") * ratio).otherwise(pl.col("volume")).alias("volume"),
        )

    @pytest.mark.parametrize(
        ("ratio", "name"), [(2, "2-for-1"), (3, "3-for-1"), (1.5, "3-for-2"), (7, "7-for-1"), (0.05, "1-for-20")]
    )
    def test_a_split_is_found_with_its_ratio_and_day(self, ratio: float, name: str) -> None:
        one = series(self.split(ratio), "1d")

        (found,) = splits_of(one)

        assert found.severity == "serious"
        assert f"{name} split?" in found.text
        assert found.start_ns == one.bars.timestamp[30]

    def test_a_declared_one_is_fine(self) -> None:
        one = series(self.split(2), "1d")

        assert splits_of(one, {int(one.grid.days[30])}) == []

    def test_a_fall_on_news_is_none(self) -> None:
        """Half the price with the same number of shares traded, and many times the money on the day: no split."""
        crash = self.split(1.6, volumes=False)

        assert splits_of(series(crash, "1d")) == []

    def test_it_is_found_in_minutes_as_well(self) -> None:
        frame = bars(sessions=30)
        later = pl.int_range(pl.len()) >= 15 * 390
        frame = frame.with_columns(
            *(pl.when(later).then(pl.col(c) / 2).otherwise(pl.col(c)).alias(c) for c in PRICES),
            pl.when(later).then(pl.col("volume") * 2).otherwise(pl.col("volume")).alias("volume"),
        )

        assert ["2-for-1" in f.text for f in splits_of(series(frame))] == [True]


class TestScore:
    def test_it_is_what_the_formula_says(self) -> None:
        frame = times(without(bars(), range(100, 110)), 500, "high", 1.05)
        one = series(frame)
        found = [*spikes(one)]

        got = score_of(one, found)

        assert (got.expected, got.present, got.missing, got.doubtful) == (1170, 1160, 10, 1)
        assert got.percent == pytest.approx(100 * (1170 - 10 - 1) / 1170)

    def test_a_serious_finding_caps_it(self) -> None:
        one = series(TestSplits().split(2), "1d")

        assert score_of(one, splits_of(one)).percent == 50.0

    @given(st.lists(st.booleans(), min_size=400, max_size=400))
    def test_it_lies_between_0_and_100_and_less_there_is_never_better(self, kept: list[bool]) -> None:
        mask = np.resize(np.array([True, *kept, True]), 1170)
        fewer = mask & (np.arange(1170) % 7 > 0)
        more, less = (score_of(series(bars().filter(pl.Series(m | np.isin(np.arange(1170), [1, 1169])))), []) for m in (mask, fewer))  # fmt: skip # noqa: E501

        assert more.percent is not None
        assert less.percent is not None
        assert 0 <= less.percent <= more.percent <= 100
