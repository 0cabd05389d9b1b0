"""Fills become trades: who is closed first, what it earned, how far it went, and why it ended."""

from __future__ import annotations

import math
from datetime import UTC, date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from made_trading import DAY, MINUTE_NS, OPEN_NS, made_fill
from openbell.model.order import OrderType
from openbell.results.trades.lots import LotMatching, PriceColumns
from openbell.results.trades.trades import TradeBook

if TYPE_CHECKING:
    from openbell.model.fill import Fill
    from openbell.model.trade import Trade

FIFO, AVERAGE = LotMatching.FIFO, LotMatching.AVERAGE


def bars(*high_low: tuple[float, float], day: date = DAY) -> PriceColumns:
    """One-minute bars from the open of a session."""
    start = OPEN_NS + (day - DAY).days * 86_400 * 10**9 + MINUTE_NS * np.arange(len(high_low), dtype=np.int64)
    high, low = np.array(high_low, dtype=float).reshape(-1, 2).T
    return PriceColumns(start, start + MINUTE_NS, high, low)


def trades_of(*fills: Fill, matching: LotMatching = FIFO, columns: PriceColumns | None = None) -> list[Trade]:
    return TradeBook(matching).end_session(fills, {"ALFA": columns} if columns else {})


def brief(trades: list[Trade]) -> list[tuple[float, float, float, float]]:
    return [(trade.quantity, trade.entry_price, trade.exit_price, trade.pnl) for trade in trades]


def test_first_in_is_first_out() -> None:
    fills = [
        made_fill("ALFA", 100, 10.0, number=1),
        made_fill("ALFA", 50, 12.0, number=2, minute=1),
        made_fill("ALFA", -120, 13.0, number=3, minute=2),
        made_fill("ALFA", -30, 11.0, number=4, minute=3),
    ]

    assert brief(trades_of(*fills)) == [(100, 10, 13, 300), (20, 12, 13, 20), (30, 12, 11, -30)]


def test_at_average_cost_every_exit_is_one_trade() -> None:
    fills = [
        made_fill("ALFA", 100, 10.0, number=1),
        made_fill("ALFA", 50, 13.0, number=2, minute=1),
        made_fill("ALFA", -120, 13.0, number=3, minute=2),
        made_fill("ALFA", -30, 11.0, number=4, minute=3),
    ]

    assert brief(trades_of(*fills, matching=AVERAGE)) == [(120, 11, 13, 240), (30, 11, 11, 0)]


@pytest.mark.parametrize("matching", LotMatching)
def test_a_fill_beyond_the_position_turns_it_around(matching: LotMatching) -> None:
    fills = [
        made_fill("ALFA", 100, 10.0, number=1, fee=1.0),
        made_fill("ALFA", -150, 11.0, number=2, minute=1, fee=3.0),
        made_fill("ALFA", 50, 9.0, number=3, minute=2, fee=1.0),
    ]

    long, short = trades_of(*fills, matching=matching)

    assert brief([long, short]) == [(100, 10, 11, 100), (-50, 11, 9, 100)]
    assert (long.fees, short.fees) == (pytest.approx(1 + 2), pytest.approx(1 + 1))
    assert short.net == pytest.approx(98)
    assert (long.return_, short.return_) == (pytest.approx(0.1), pytest.approx(100 / 550))


def test_an_order_that_fills_in_parts_is_one_trade() -> None:
    entry = [made_fill("ALFA", 10, 10.0 + n, number=1, minute=n) for n in range(3)]
    exit_ = [made_fill("ALFA", -15, 20.0 + n, number=2, minute=5 + n) for n in range(2)]

    (trade,) = trades_of(*entry, *exit_)

    assert (trade.quantity, trade.entry_price, trade.exit_price) == (30, 11, 20.5)
    assert trade.pnl == pytest.approx(30 * 9.5)
    assert (trade.entry_time.minute, trade.exit_time.minute, trade.held) == (30, 36, timedelta(minutes=6))


def test_a_multiplier_makes_points_money() -> None:
    book = TradeBook(FIFO, lambda symbol: {"ES": 50.0}[symbol])

    (trade,) = book.end_session([made_fill("ES", 2, 5000.0), made_fill("ES", -2, 5001.5, number=2, minute=1)], {})

    assert trade.pnl == 150
    assert trade.return_ == pytest.approx(150 / 500_000)


def test_excursions_are_those_of_the_bars_between() -> None:
    columns = bars((99, 1), (12, 9), (14, 8), (11, 7), (99, 1))
    fills = [made_fill("ALFA", 10, 10.0, minute=1), made_fill("ALFA", -10, 11.0, number=2, minute=4)]

    (trade,) = trades_of(*fills, columns=columns)

    assert (trade.bars, trade.mfe, trade.mae) == (3, 40, -30)


def test_excursions_of_a_short_are_the_other_way_round() -> None:
    columns = bars((12, 9), (14, 8))
    fills = [made_fill("ALFA", -10, 10.0), made_fill("ALFA", 10, 11.0, number=2, minute=2)]

    (trade,) = trades_of(*fills, columns=columns)

    assert (trade.bars, trade.mfe, trade.mae, trade.pnl) == (2, 20, -40, -10)


def test_of_the_bar_inside_of_which_a_resting_order_fills_only_the_fill_is_known() -> None:
    columns = bars((12, 9), (30, 2), (11, 10))
    entry, exits = made_fill("ALFA", 10, 10.0), {"number": 2, "minute": 2}

    (stopped,) = trades_of(entry, made_fill("ALFA", -10, 8.0, type=OrderType.STOP, stop=8.0, **exits), columns=columns)
    (closed,) = trades_of(entry, made_fill("ALFA", -10, 8.0, **exits), columns=columns)

    assert (stopped.bars, stopped.mfe, stopped.mae) == (2, 20, -20)
    assert (closed.bars, closed.mfe, closed.mae) == (2, 200, -80)


def test_a_position_overnight_counts_the_bars_and_prices_of_all_its_sessions() -> None:
    book, next_day = TradeBook(FIFO), DAY + timedelta(days=1)
    book.end_session([made_fill("ALFA", 10, 10.0, minute=1)], {"ALFA": bars((50, 1), (12, 9), (11, 10))})
    book.end_session([], {})

    exit_ = made_fill("ALFA", -10, 11.0, number=2, minute=1, day=next_day)
    (trade,) = book.end_session([exit_], {"ALFA": bars((11, 6), (50, 1), day=next_day)})

    assert (trade.bars, trade.mfe, trade.mae) == (3, 20, -40)
    assert trade.held == timedelta(days=1)
    assert book.quantities == {}


def test_a_split_changes_quantity_prices_and_way_and_not_the_profit() -> None:
    book, next_day = TradeBook(FIFO), DAY + timedelta(days=1)
    book.end_session([made_fill("ALFA", 10, 100.0)], {"ALFA": bars((120, 90))})

    book.split("ALFA", 2.0, quantity=20, price=50.0, time_ns=OPEN_NS, zone=UTC)
    assert book.quantities == {"ALFA": 20}
    exit_ = made_fill("ALFA", -20, 55.0, number=2, minute=1, day=next_day)
    (trade,) = book.end_session([exit_], {"ALFA": bars((56, 51), day=next_day)})

    assert (trade.quantity, trade.entry_price, trade.exit_price, trade.pnl) == (20, 50, 55, 100)
    assert (trade.mfe, trade.mae) == (200, -100)


def test_a_fraction_after_a_split_is_a_trade_of_its_own() -> None:
    book = TradeBook(FIFO)
    book.end_session([made_fill("ALFA", 101, 30.0, fee=1.01)], {})

    book.split("ALFA", 1.5, quantity=151, price=22.0, time_ns=OPEN_NS + MINUTE_NS, zone=UTC)

    (trade,) = book.end_session([], {})
    assert (trade.quantity, trade.pnl) == (pytest.approx(0.5), pytest.approx(0.5 * (22 - 20)))
    assert trade.exit_reason == "cash in place of a fraction of a unit after a split"
    assert book.quantities == {"ALFA": 151}


def test_a_position_goes_on_under_a_new_name() -> None:
    book = TradeBook(FIFO)
    book.end_session([made_fill("ALFA", 10, 10.0)], {})

    book.rename({"ALFA": "BETA"}, time_ns=OPEN_NS, zone=UTC)

    (trade,) = book.end_session([made_fill("BETA", -10, 12.0, number=2, minute=5)], {})
    assert (trade.symbol, trade.pnl) == ("BETA", 20)


def test_a_trade_says_who_why_and_under_which_label() -> None:
    entry = made_fill("ALFA", 10, 10.0, strategy="Pullback", tag="first", reason="fast crossed above slow")
    stop = made_fill("ALFA", -10, 9.5, number=2, minute=3, type=OrderType.STOP, stop=9.5)

    (trade,) = trades_of(entry, stop)

    assert (trade.strategy, trade.tag) == ("Pullback", "first")
    assert (trade.entry_reason, trade.exit_reason) == ("fast crossed above slow", "stop 9.5")


def test_what_is_open_has_a_profit_at_the_last_price() -> None:
    book = TradeBook(FIFO)
    book.end_session([made_fill("ALFA", 10, 10.0), made_fill("BRVO", -5, 20.0, number=2)], {})

    assert book.quantities == {"ALFA": 10, "BRVO": -5}
    assert book.unrealized({"ALFA": 11.0, "BRVO": 21.0}.__getitem__) == {"ALFA": 10, "BRVO": -5}


PRICE = st.integers(100, 10_000).map(lambda cents: cents / 100)
FILL = st.tuples(st.sampled_from(["ALFA", "BRVO"]), st.integers(-300, 300).filter(bool), PRICE)
SPLIT = st.tuples(st.sampled_from(["ALFA", "BRVO"]), st.sampled_from([2.0, 3.0, 1.5, 0.1, 1 / 3]), PRICE)


@given(
    matching=st.sampled_from(LotMatching),
    sessions=st.lists(st.tuples(st.lists(SPLIT, max_size=1), st.lists(FILL, max_size=8)), max_size=5),
)
def test_profits_add_up_and_quantities_never_drift(
    matching: LotMatching, sessions: list[tuple[list[tuple[str, float, float]], list[tuple[str, int, float]]]]
) -> None:
    book, number, minute = TradeBook(matching, {"ALFA": 1.0, "BRVO": 50.0}.__getitem__), 0, 0
    multiplier = {"ALFA": 1.0, "BRVO": 50.0}
    cash, fees, position = 0.0, 0.0, {"ALFA": 0, "BRVO": 0}
    trades: list[Trade] = []
    for splits, fills in sessions:
        for symbol, ratio, price in splits:
            exact = position[symbol] * ratio
            left = math.trunc(round(exact, 6))
            cash += (exact - left) * price * multiplier[symbol]
            position[symbol] = left
            book.split(symbol, ratio, quantity=left, price=price, time_ns=OPEN_NS + minute * MINUTE_NS, zone=UTC)
        made = []
        for symbol, quantity, price in fills:
            number, minute = number + 1, minute + 1
            made.append(made_fill(symbol, quantity, price, number=number, minute=minute, fee=1.25))
            cash -= quantity * price * multiplier[symbol]
            position[symbol] += quantity
            fees += 1.25
        trades += book.end_session(made, {})

        assert book.quantities == {s: pytest.approx(q, abs=1e-9) for s, q in position.items() if q}
    worth = sum(quantity * 77.0 * multiplier[symbol] for symbol, quantity in position.items())
    earned = sum(trade.pnl for trade in trades) + sum(book.unrealized(lambda _: 77.0).values())
    assert earned == pytest.approx(cash + worth, rel=1e-9, abs=1e-4)
    assert sum(trade.fees for trade in trades) <= fees + 1e-9
    if not any(position.values()):
        assert sum(trade.fees for trade in trades) == pytest.approx(fees)
    assert all(trade.mae <= min(trade.pnl, 0) and trade.mfe >= max(trade.pnl, 0) for trade in trades)


@given(st.lists(st.tuples(st.integers(1, 40), PRICE), min_size=1, max_size=30))
def test_fractions_that_are_bought_and_sold_again_leave_nothing(entries: list[tuple[int, float]]) -> None:
    book = TradeBook(FIFO)
    tenths = [(units / 10, price) for units, price in entries]
    buys = [made_fill("ALFA", units, price, number=n, minute=n) for n, (units, price) in enumerate(tenths)]
    sells = [made_fill("ALFA", -units, 10.0, number=90 + n, minute=90 + n) for n, (units, _) in enumerate(tenths[::-1])]

    trades = book.end_session([*buys, *sells], {})

    assert book.quantities == {}
    assert sum(trade.quantity for trade in trades) == pytest.approx(sum(units for units, _ in tenths))


@given(
    st.lists(st.tuples(PRICE, PRICE).map(sorted), min_size=6, max_size=12),
    st.data(),
)
def test_excursions_are_those_of_a_search_bar_by_bar(low_high: list[list[float]], data: st.DataObject) -> None:
    columns = bars(*[(high, low) for low, high in low_high])
    entered = data.draw(st.integers(0, 3))
    left = data.draw(st.integers(entered + 1, 6))
    quantity = data.draw(st.sampled_from([10, -10]))
    fills = [
        made_fill("ALFA", quantity, 50.0, minute=entered),
        made_fill("ALFA", -quantity, 50.0, number=2, minute=left),
    ]

    (trade,) = trades_of(*fills, columns=columns)

    ways = [(price - 50.0) * quantity for low, high in low_high[entered:left] for price in (low, high)]
    assert trade.bars == left - entered
    assert (trade.mae, trade.mfe) == (pytest.approx(min(0, *ways)), pytest.approx(max(0, *ways)))
