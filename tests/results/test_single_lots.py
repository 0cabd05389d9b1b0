"""Symbols that hold one lot at a time: their trades in columns are those of lots that are matched one by one."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from made_trading import DAY, MINUTE_NS, OPEN_NS, made_fill
from openbell.model.order import OrderType
from openbell.results.trades.lots import LotMatching, OpenLots, PriceColumns
from openbell.results.trades.single_lots import SymbolFills, holds_one_lot, one_lot_trades
from openbell.results.trades.trades import slice_trades

if TYPE_CHECKING:
    from openbell.model.fill import Fill

MULTIPLIERS = {"ALFA": 1.0, "BRVO": 50.0}
PRICE = st.integers(100, 10_000).map(lambda cents: cents / 100)
KIND = st.sampled_from([OrderType.MARKET, OrderType.MARKET, OrderType.STOP])
UNITS = st.integers(1, 40).map(lambda tenths: tenths / 10)
BARS = st.lists(st.tuples(PRICE, PRICE), max_size=6)
TRADES = st.lists(st.tuples(UNITS, st.booleans(), PRICE, st.integers(0, 7), KIND), max_size=6)
SESSION = st.fixed_dictionaries({symbol: st.tuples(BARS, TRADES) for symbol in MULTIPLIERS})


def columns(low_high: list[tuple[float, float]], day: int) -> PriceColumns:
    start = OPEN_NS + day * 86_400 * 10**9 + MINUTE_NS * np.arange(len(low_high), dtype=np.int64)
    low, high = np.sort(np.array(low_high, dtype=float).reshape(-1, 2)).T
    return PriceColumns(start, start + MINUTE_NS, high, low)


@given(matching=st.sampled_from(LotMatching), sessions=st.lists(SESSION, min_size=1, max_size=4))
def test_trades_in_columns_are_those_of_lots_one_by_one(
    matching: LotMatching,
    sessions: list[dict[str, tuple[list[tuple[float, float]], list[tuple[float, bool, float, int, OrderType]]]]],
) -> None:
    one_by_one, in_columns = ({symbol: OpenLots(matching) for symbol in MULTIPLIERS} for _ in range(2))
    side, number = dict.fromkeys(MULTIPLIERS, 1), 0
    for day, session in enumerate(sessions):
        owns = []
        for symbol, (low_high, drawn) in session.items():
            fills: list[Fill] = []
            held = one_by_one[symbol].quantity
            for units, turns, price, minute, kind in drawn:  # out of a position to nothing, or to the other side
                number += 1
                quantity = -held if held and not turns else (-held or 0.0) - side[symbol] * units
                side[symbol] = 1 if quantity > 0 else -1
                held += quantity
                fills.append(
                    made_fill(
                        symbol, quantity, price, number=number, minute=minute, fee=units / 7, type=kind, stop=price,
                        day=DAY + timedelta(days=day), tag=f"tag {number}",
                    )
                )  # fmt: skip
            owns.append(SymbolFills(symbol, in_columns[symbol], fills, columns(low_high, day), MULTIPLIERS[symbol]))
        assert all(holds_one_lot(own.lots, own.fills) for own in owns)

        found = one_lot_trades(owns)

        for symbol, _, fills, bars, multiplier in owns:
            expected = slice_trades(symbol, one_by_one[symbol].end_session(fills, bars), multiplier, UTC)
            assert list(map(repr, found[symbol])) == list(map(repr, expected))
            assert list(map(repr, in_columns[symbol].lots)) == list(map(repr, one_by_one[symbol].lots))
            assert in_columns[symbol].quantity == one_by_one[symbol].quantity


@pytest.mark.parametrize(
    "quantities",
    [(10, 5), (10, -5), (-10, 4), (10, -10.0000000001), (0.3, -0.1, -0.2)],
    ids=["added to", "closed in part", "covered in part", "with dust left", "closed in two parts"],
)
def test_more_than_one_lot_at_a_time_is_matched_one_by_one(quantities: tuple[float, ...]) -> None:
    fills = [made_fill("ALFA", quantity, 10.0, number=n, minute=n) for n, quantity in enumerate(quantities)]

    assert not holds_one_lot(OpenLots(LotMatching.FIFO), fills)


def test_parts_of_one_order_are_matched_one_by_one() -> None:
    parts = [made_fill("ALFA", quantity, 10.0, minute=n) for n, quantity in enumerate((10, -10, 10))]

    assert not holds_one_lot(OpenLots(LotMatching.FIFO), parts)
