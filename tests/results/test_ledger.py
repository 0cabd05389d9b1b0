"""What symbols and strategies earned adds up to what the account earned."""

from __future__ import annotations

from datetime import UTC, date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from made_trading import DAY, MINUTE_NS, OPEN_NS, made_fill, made_order
from openbell.model.cash_flow import CashFlow, CashFlowKind
from openbell.model.order import OrderStatus
from openbell.results.measures.equity import EquityColumns, equity_frame
from openbell.results.trades.ledger import Ledger, TradedSession
from openbell.results.trades.lots import LotMatching

if TYPE_CHECKING:
    from openbell.model.fill import Fill
    from openbell.results.trading import DayTrading

START = 100_000.0


def columns(*equity: float, held: float = 0.0, day: date = DAY) -> EquityColumns:
    """Equity by minute, of which so much is in a long position."""
    whole = np.array(equity, dtype=float)
    time_ns = OPEN_NS + (day - DAY).days * 86_400 * 10**9 + MINUTE_NS * np.arange(1, len(whole) + 1)
    long_value = np.full(len(whole), float(held))
    return EquityColumns(time_ns, whole - long_value, long_value, np.zeros(len(whole)))


def end(ledger: Ledger, *fills: Fill, equity: float = START, day: date = DAY, **fields: Any) -> DayTrading:
    defaults = {
        "accepted": len(fills),
        "orders": [fill.order for fill in fills],
        "flows": [],
        "positions": [],
        "equity": columns(equity, day=day),
        "bars": {},
        "last_prices": {},
    }
    return ledger.end_session(TradedSession(day=day, end_equity=equity, fills=fills, **{**defaults, **fields}))


def ledger_of(matching: LotMatching = LotMatching.FIFO) -> Ledger:
    return Ledger(START, matching, lambda _: 1.0)


def test_a_session_has_its_own_trades_costs_and_refusals() -> None:
    ledger = ledger_of()
    entry = made_fill("ALFA", 10, 100.0, fee=1.0)
    refused = made_order("ALFA", 10**6, number=3, status=OrderStatus.REJECTED, filled_quantity=0.0)
    end(ledger, entry, equity=99_999.0)
    day = DAY + timedelta(days=1)

    exit_ = made_fill("ALFA", -10, 101.0, number=2, fee=1.0, day=day)
    result = end(ledger, exit_, equity=100_008.0, day=day, orders=[exit_.order, refused])

    assert (result.start_equity, result.end_equity, result.pnl, result.fees) == (99_999, 100_008, 9, 1)
    assert result.rejected == (refused,)
    assert [trade.net for trade in result.trades] == [8]
    performance = ledger.result(sessions_per_year=252).performance
    assert (performance.orders, performance.rejected, performance.fills, performance.trades) == (2, 1, 2, 1)
    assert (performance.net_profit, performance.fees) == (8, 2)
    assert performance.turnover == pytest.approx((1000 / 99_999 + 1010 / 100_008) / 2)


def test_two_strategies_on_two_sides_of_one_symbol_earn_what_their_own_fills_do() -> None:
    ledger = ledger_of()

    end(
        ledger,
        made_fill("ALFA", 10, 100.0, strategy="Long"),
        made_fill("ALFA", -10, 104.0, number=2, minute=1, strategy="Short"),
        last_prices={"ALFA": 106.0},
    )

    result = ledger.result(sessions_per_year=252)
    earned = {name: (of.realized, of.unrealized, of.net) for name, of in result.by_strategy.items()}
    assert earned == {"Long": (0, 60, 60), "Short": (0, -20, -20)}
    assert (result.by_symbol["ALFA"].realized, result.by_symbol["ALFA"].unrealized) == (40, 0)


def test_what_the_accounts_rules_close_is_closed_for_the_strategies_that_held_it() -> None:
    ledger = ledger_of()
    end(
        ledger,
        made_fill("ALFA", 10, 100.0, strategy="One", fee=1.0),
        made_fill("ALFA", 30, 100.0, number=2, minute=1, strategy="Two", fee=1.0),
        made_fill("ALFA", -5, 100.0, number=3, minute=2, strategy="Three"),
        last_prices={"ALFA": 100.0},
    )

    called = made_fill("ALFA", -20, 90.0, number=4, minute=3, strategy="", fee=2.0, day=DAY + timedelta(days=1))
    end(ledger, called, last_prices={"ALFA": 80.0}, day=DAY + timedelta(days=1))

    earned = {
        name: (of.realized, of.unrealized, of.fees)
        for name, of in ledger.result(sessions_per_year=252).by_strategy.items()
    }
    assert earned == {"One": (-100, 0, 2.0), "Two": (-100, -400, 2.0), "Three": (0, 100, 0.0)}


def test_what_the_accounts_rules_close_of_the_only_strategy_is_its_own() -> None:
    ledger = ledger_of()
    entry = made_fill("ALFA", 10, 100.0, strategy="One", fee=1.0)
    called = made_fill("ALFA", -10, 90.0, number=2, minute=1, strategy="", fee=2.0)

    end(ledger, entry, called, last_prices={"ALFA": 80.0})

    earned = ledger.result(sessions_per_year=252).by_strategy
    assert {name: (of.trades, of.realized, of.unrealized, of.fees) for name, of in earned.items()} == {
        "One": (1, -100, 0, 3.0)
    }


def test_a_second_strategy_on_a_later_day_takes_nothing_of_the_first() -> None:
    ledger = ledger_of()
    end(ledger, made_fill("ALFA", 10, 100.0, strategy="One"), last_prices={"ALFA": 101.0})
    end(ledger, made_fill("ALFA", -4, 102.0, number=2, minute=1, strategy="One"), last_prices={"ALFA": 102.0})

    end(ledger, made_fill("ALFA", -10, 103.0, number=3, minute=2, strategy="Two"), last_prices={"ALFA": 105.0})
    end(ledger, made_fill("ALFA", -6, 106.0, number=4, minute=3, strategy="One"), last_prices={"ALFA": 106.0})

    earned = ledger.result(sessions_per_year=252).by_strategy
    assert (earned["One"].realized, earned["One"].unrealized) == (4 * 2 + 6 * 6, 0)
    assert (earned["Two"].realized, earned["Two"].unrealized) == (0, -30)


def test_labels_and_dividends_have_their_earnings() -> None:
    ledger = ledger_of()
    flow = CashFlow(
        kind=CashFlowKind.DIVIDEND, symbol="ALFA", quantity=10, amount=5.0, time_ns=OPEN_NS, zone=UTC, session_date=DAY
    )

    end(
        ledger,
        made_fill("ALFA", 10, 100.0, tag="gap"),
        made_fill("ALFA", -10, 103.0, number=2, minute=1),
        made_fill("BRVO", 5, 10.0, number=3, minute=1, fee=2.0),
        flows=[flow],
        last_prices={"BRVO": 11.0},
    )

    result = ledger.result(sessions_per_year=252)
    assert {tag: of.net for tag, of in result.by_tag.items()} == {"gap": 30}
    assert {symbol: of.net for symbol, of in result.by_symbol.items()} == {"ALFA": 35, "BRVO": 3}
    assert result.performance.dividends == 5


def test_a_split_and_a_new_name_reach_the_account_and_its_strategies() -> None:
    ledger = ledger_of()
    for number, name in enumerate(("One", "Two")):
        end(ledger, made_fill("ALFA", 101, 30.0, number=number, strategy=name), last_prices={"ALFA": 30.0})

    ledger.split("ALFA", 1.5, quantity=303, price=20.0, time_ns=OPEN_NS, zone=UTC)
    ledger.rename({"ALFA": "BETA"}, time_ns=OPEN_NS, zone=UTC)
    end(ledger, last_prices={"BETA": 21.0})

    result = ledger.result(sessions_per_year=252)
    assert result.by_symbol["BETA"].unrealized == pytest.approx(303)
    assert {name: of.unrealized for name, of in result.by_strategy.items()} == {"One": 151.5, "Two": 151.5}


@pytest.mark.parametrize("matching", list(LotMatching))
@pytest.mark.parametrize(
    ("units", "closed", "left"),
    [((10, 4), [], 14), ((10, -4), [(4, 80)], 6), ((4, -10), [(4, 80)], -6), ((4, -4), [(4, 80)], 0)],
)
def test_two_symbols_that_get_one_name_earn_together(
    matching: LotMatching, units: tuple[int, int], closed: list[tuple[int, float]], left: int
) -> None:
    ledger = ledger_of(matching)
    end(ledger, made_fill("ALFA", units[0], 100.0), made_fill("BRVO", units[1], 120.0, number=2))
    time_ns = OPEN_NS + 86_400 * 10**9

    ledger.rename({"ALFA": "BETA", "BRVO": "BETA"}, time_ns=time_ns, zone=UTC)
    day = end(ledger, last_prices={"BETA": 110.0}, day=DAY + timedelta(days=1))

    assert [(abs(trade.quantity), trade.pnl) for trade in day.trades] == closed
    of = ledger.result(sessions_per_year=252).by_symbol["BETA"]
    assert of.realized + of.unrealized == pytest.approx(units[0] * 10 - units[1] * 10)
    assert of.unrealized == pytest.approx(units[0] * 10 - units[1] * 10 - sum(pnl for _, pnl in closed))
    assert bool(left) == bool(of.unrealized)


def test_a_fraction_of_a_lone_strategy_is_paid_to_it() -> None:
    ledger = ledger_of()
    end(ledger, made_fill("ALFA", 101, 30.0), last_prices={"ALFA": 30.0})

    ledger.split("ALFA", 1.5, quantity=151, price=22.0, time_ns=OPEN_NS, zone=UTC)
    result = end(ledger, last_prices={"ALFA": 22.0})

    assert [trade.pnl for trade in result.trades] == [pytest.approx(1)]
    by_strategy = ledger.result(sessions_per_year=252).by_strategy["Algo"]
    assert (by_strategy.realized, by_strategy.unrealized) == (pytest.approx(1), pytest.approx(302))


PRICE = st.integers(100, 10_000).map(lambda cents: cents / 100)
FILL = st.tuples(
    st.sampled_from(["ALFA", "BRVO"]), st.sampled_from(["One", "Two"]), st.integers(-300, 300).filter(bool), PRICE
)


@given(matching=st.sampled_from(LotMatching), sessions=st.lists(st.lists(FILL, max_size=6), min_size=1, max_size=4))
def test_symbols_and_strategies_add_up_to_the_account(
    matching: LotMatching, sessions: list[list[tuple[str, str, int, float]]]
) -> None:
    ledger, number = ledger_of(matching), 0
    cash, held, last = START, {"ALFA": 0, "BRVO": 0}, {"ALFA": 1.0, "BRVO": 1.0}
    for session in sessions:
        fills = []
        for symbol, strategy, quantity, price in session:
            number += 1
            fills.append(made_fill(symbol, quantity, price, number=number, minute=number, fee=1.0, strategy=strategy))
            cash -= quantity * price + 1.0
            held[symbol] += quantity
            last[symbol] = price
        end(ledger, *fills, equity=cash + sum(held[s] * last[s] for s in held), last_prices=last)

    result = ledger.result(sessions_per_year=252)

    for earned in (result.by_symbol, result.by_strategy):
        assert sum(of.net for of in earned.values()) == pytest.approx(result.performance.net_profit, abs=1e-6)


def test_equity_by_bar_time_is_a_frame_with_exposure_and_drawdown() -> None:
    days = [DAY, DAY + timedelta(days=1)]

    frame = equity_frame(START, days, [columns(99_000, 110_000, held=55_000), columns(99_000, day=days[1])])

    assert frame["date"].to_list() == [days[0], days[0], days[1]]
    assert frame.schema["time"] == pl.Datetime("ns", "UTC")
    assert frame["equity"].to_list() == [99_000, 110_000, 99_000]
    assert frame["cash"].to_list() == [44_000, 55_000, 99_000]
    assert frame["exposure"].to_list() == [pytest.approx(5 / 9), 0.5, 0]
    assert frame["drawdown"].to_list() == [pytest.approx(-0.01), 0, pytest.approx(-0.1)]


def test_exposure_of_an_account_without_equity_is_unknown() -> None:
    frame = equity_frame(START, [DAY], [columns(-5.0, 0.0, held=10.0)])

    assert frame["exposure"].to_list() == [None, None]
    assert equity_frame(START, [], []).height == 0


def test_sessions_count_the_bar_times_at_which_something_was_held() -> None:
    ledger = ledger_of()
    end(ledger, equity=START)
    day = DAY + timedelta(days=1)
    ledger.end_session(
        TradedSession(
            day=day, end_equity=START, accepted=0, orders=[], fills=[], flows=[], positions=[],
            equity=columns(START, START, START, held=10.0, day=day), bars={}, last_prices={},
        )
    )  # fmt: skip

    assert ledger.result(sessions_per_year=252).performance.exposure == 3 / 4
