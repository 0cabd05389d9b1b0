"""Rate at which bars come."""

from __future__ import annotations

from openbell.live.incoming.bar_rate import BarRate

S = 1_000_000_000


def test_bars_of_the_last_minute_are_counted_and_earlier_ones_forgotten() -> None:
    rate = BarRate()
    assert rate.at(0) == 0
    for time_ns in (0, 1, 30 * S, 59 * S):
        rate.heard(time_ns)

    assert rate.at(59 * S) == 4
    assert rate.at(60 * S) == 2
    rate.heard(100 * S)
    assert rate.at(100 * S) == 2
    assert rate.at(1000 * S) == 0
