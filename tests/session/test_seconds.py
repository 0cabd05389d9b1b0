"""A session on second bars: what is derived from them is what the minute data says, where both have trades.

Of the real data, minutes and seconds were put together apart from each other. Over all sessions and symbols, open,
high, low and close agree to the last bit in every minute but the first and the last: there the minute bars carry the
prices of the opening and the closing auction, and the second bars do not. Volumes differ a little, for the same reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from openbell.testing import advance, probe_strategy
from probes import engine, prepared

if TYPE_CHECKING:
    from pathlib import Path

    from openbell.model.bars import Bars

SYMBOLS = ("SPY", "IBM", "AIG", "BAC")
DAYS = ("2013-10-07", "2013-10-08", "2013-10-09", "2013-10-10", "2013-10-11")
PRICES = ("open", "high", "low", "close")


def end_of_day(store: Path, day: str, streams: list[str]) -> Any:
    system = prepared(store, symbols=SYMBOLS, days=day, streams=streams)
    advance(system, "16:00")
    return system.session_data.current


@pytest.mark.parametrize("day", DAYS)
def test_derived_minutes_are_the_minutes_where_both_have_trades(
    second_store: Path, minute_store: Path, day: str
) -> None:
    seconds = end_of_day(second_store, day, ["1s", "5s", "1m", "5m"])
    minutes = end_of_day(minute_store, day, ["1m", "5m"])
    assert list(seconds) == list(minutes) == list(SYMBOLS)
    for symbol in SYMBOLS:
        assert seconds[symbol].base_interval == "1s"
        assert {i: s.base for i, s in seconds[symbol].bars.items()} == {"1s": None, "5s": "1s", "1m": "1s", "5m": "1s"}
        for interval in ("1m", "5m"):
            derived, stored = (data[symbol].bars[interval].today for data in (seconds, minutes))
            assert len(derived) >= 389 // int(interval[0])
            np.testing.assert_array_equal(derived.timestamp, stored.timestamp, "both have trades in the same bars")
            np.testing.assert_array_equal(derived.end, stored.end)
            assert_prices_agree(derived, stored)
            assert derived.volume.sum() == pytest.approx(stored.volume.sum(), rel=0.2)


def assert_prices_agree(derived: Bars, stored: Bars) -> None:
    for name in PRICES:
        np.testing.assert_array_equal(getattr(derived, name)[1:-1], getattr(stored, name)[1:-1], err_msg=name)
    # The auctions: the first bar may open (and so reach) elsewhere, the last one close elsewhere, by a little.
    assert derived.close[0] == stored.close[0]
    assert derived.open[-1] == stored.open[-1]
    for name in PRICES:
        np.testing.assert_allclose(getattr(derived, name)[[0, -1]], getattr(stored, name)[[0, -1]], rtol=2e-3)


def test_five_seconds_are_their_seconds(second_store: Path) -> None:
    data = end_of_day(second_store, "2013-10-10", ["1s", "5s"])["AIG"]
    one, five = data.bars["1s"].today, data.bars["5s"].today
    group = (one.timestamp - five.timestamp[0]) // 5_000_000_000
    starts, first = np.unique(five.timestamp[0] + group * 5_000_000_000, return_index=True)

    np.testing.assert_array_equal(five.timestamp, starts)
    np.testing.assert_array_equal(five.open, one.open[first])
    np.testing.assert_array_equal(five.high, np.maximum.reduceat(one.high, first))
    np.testing.assert_array_equal(five.low, np.minimum.reduceat(one.low, first))
    np.testing.assert_array_equal(five.volume, np.add.reduceat(one.volume, first))
    np.testing.assert_array_equal(five.count, np.diff([*first, len(one)]))
    assert 0 < data.bars["5s"].quality < 100, "seconds without a trade are gaps"


def test_a_session_runs_on_seconds(second_store: Path) -> None:
    got: dict[str, int] = {}

    def on_bar(self: Any, bar: Any) -> None:
        got[bar.interval] = got.get(bar.interval, 0) + 1
        assert self.context.bars("IBM", "1m").end[-1:] <= bar.end

    streams = ["1s", "5s", "1m", "5m"]
    pairs = [("IBM", i) for i in streams]
    day = engine(
        second_store,
        symbols=["IBM"],
        days="2013-10-11",
        streams=streams,
        indicators=[{"name": "sma", "period": 30, "interval": "5s"}],
        strategies=[probe_strategy(subscriptions=pairs, on_bar=on_bar)],
    ).run()["days"][0]
    bars = day["symbols"]["IBM"]["bars"]

    assert got == {i: bars[i]["session_rows"] for i in streams}
    assert (got["1m"], got["5m"]) == (389, 78)
    assert day["symbols"]["IBM"]["base_interval"] == "1s"
    assert day["symbols"]["IBM"]["indicators"]["sma_30_5s"]["valid"]
