"""The end of a run says what it earned, what that takes for granted, and what was rejected or ambiguous."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from rich.console import Console

from made_trading import DAY, MINUTE_NS, OPEN_NS, made_fill, made_order
from openbell.cli.output.performance_view import shown
from openbell.cli.output.trading_view import day_trading_lines, run_trading_views
from openbell.config.execution import ExecutionConfig
from openbell.model.order import OrderStatus
from openbell.model.position import Position
from openbell.results.measures.equity import EquityColumns
from openbell.results.measures.performance import Performance
from openbell.results.measures.performance_lines import BLOCKS
from openbell.results.trades.ledger import Ledger, TradedSession
from openbell.results.trades.lots import LotMatching

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openbell.model.fill import Fill
    from openbell.results.trading import DayTrading


def text_of(views: Iterable[Any], width: int = 140) -> str:
    """What a terminal shows."""
    console = Console(file=StringIO(), width=width)
    for view in views:
        console.print(view, soft_wrap=isinstance(view, str))
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def ledger_with(*sessions: tuple[float, list[Fill], dict[str, Any]]) -> tuple[Ledger, list[DayTrading]]:
    ledger, days = Ledger(100_000.0, LotMatching.FIFO, lambda _: 1.0), []
    for number, (equity, fills, fields) in enumerate(sessions):
        one = np.array([equity])
        columns = EquityColumns(np.array([OPEN_NS + MINUTE_NS]), one, 0 * one, 0 * one)
        defaults = {"orders": [fill.order for fill in fills], "flows": [], "positions": [], "last_prices": {}}
        session = TradedSession(
            day=DAY + timedelta(days=number), end_equity=equity, accepted=len(fills), fills=fills, equity=columns,
            bars={}, **{**defaults, **fields},
        )  # fmt: skip
        days.append(ledger.end_session(session))
    return ledger, days


def shown_of(*sessions: tuple[float, list[Fill], dict[str, Any]], width: int = 140, **execution: Any) -> str:
    ledger, days = ledger_with(*sessions)
    config = ExecutionConfig(**execution)
    return text_of(run_trading_views(ledger.result(sessions_per_year=252), days, config, "The run"), width)


ROUND_TRIP = [made_fill("ALFA", 10, 100.0, fee=1.0), made_fill("ALFA", -10, 103.0, number=2, minute=5, fee=1.0)]


def test_every_number_of_a_performance_has_a_line() -> None:
    names = [line.name for block in BLOCKS for line in block]

    assert sorted(names) == sorted(set(Performance.__slots__) - {"unavailable"})


def test_a_run_shows_its_numbers_and_why_some_are_missing() -> None:
    text = shown_of((100_028.0, ROUND_TRIP, {}))

    numbers = " ".join(text.split())
    assert "The run" in text
    assert "net profit 28.00" in numbers
    assert "return 0.03%" in numbers
    assert "trades closed 1" in numbers
    assert "no volatility a year, Sharpe, Sortino: it takes at least 2 sessions, and there is 1" in text
    assert "alpha" not in text
    assert "numbers a year are made of 1 session: hardly more than a guess" in text


@pytest.mark.parametrize("width", [40, 60, 200])
def test_a_narrow_terminal_shows_the_same_numbers(width: int) -> None:
    text = " ".join(shown_of((100_028.0, ROUND_TRIP, {}), (100_000.0, [], {}), width=width).split())

    for number in ("100,000.00", "net profit 0.00", "trades won 100.00%", "fees 2.00", "longest drawdown 1 day"):
        assert number in text


def test_what_fills_and_costs_take_for_granted_is_said() -> None:
    free = shown_of((100_028.0, ROUND_TRIP, {}))
    paid = shown_of(
        (100_028.0, ROUND_TRIP, {}),
        fees={"model": "ibkr_fixed"},
        slippage={"model": "bps", "bps": 1.5},
        fills={"market": "this_close", "max_volume_share": 0.1},
    )

    assert "market orders fill at the next bar's open, without a bound on volume" in free
    assert "fees: none; slippage: none. Trading costs more than that." in free
    assert "at the close of the bar just seen" in paid
    assert "for at most 0.1 of a bar's volume" in paid
    assert "fees: ibkr_fixed; slippage: bps (bps 1.5)" in paid
    assert "costs more" not in paid


def test_rejected_and_ambiguous_are_shown() -> None:
    refused = [
        made_order(
            "ALFA",
            -1_000_000,
            number=n,
            status=OrderStatus.REJECTED,
            filled_quantity=0.0,
            reason="needs 5 [bold]and has 4",
        )
        for n in range(5)
    ]
    ambiguous = made_fill("ALFA", 10, 100.0, ambiguous=True)

    sessions = (100_000.0, [ambiguous], {"orders": refused, "last_prices": {"ALFA": 100.0}}), (100_000.0, [], {})
    text = shown_of(*sessions)

    assert "rejected" not in shown_of(sessions[0]).replace("orders rejected", ""), "the session has shown them"
    assert "rejected 5 orders:" in text
    assert text.count("ALFA sell 1,000,000 market: needs 5 [bold]and has 4") == 3
    assert "and 2 more, in orders.jsonl" in text
    assert "ambiguous 1 fill: a bar touched two prices" in text
    assert "the worse was taken" in text


def test_what_strategies_symbols_and_labels_earned_is_a_table_when_there_are_several() -> None:
    fills = [
        made_fill("ALFA", 10, 100.0, strategy="One", tag="gap"),
        made_fill("ALFA", -10, 104.0, number=2, minute=1, strategy="One"),
        *(made_fill(f"S{n}", 1, 10.0, number=10 + n, minute=2, strategy="Two") for n in range(12)),
    ]
    last = {f"S{n}": 10.0 - n / 100 for n in range(12)}

    text = shown_of((100_000.0, fills, {"last_prices": last}))
    alone = shown_of((100_028.0, ROUND_TRIP, {}))

    rows = [" ".join(line.split()) for line in text.splitlines()]
    assert "One 1 100.00% 40.00 0.00 0.00 40.00" in rows
    assert "Two 0 - 0.00 -0.66 0.00 -0.66" in rows
    assert "gap 1 100.00% 40.00 0.00 40.00" in rows
    assert "and 3 more -0.03" in rows
    assert "strategy" not in alone


def test_what_is_open_at_the_end_is_shown() -> None:
    position = Position("ALFA", 10.0, 100.0, 99.0)

    text = shown_of((99_990.0, [ROUND_TRIP[0]], {"positions": [position], "last_prices": {"ALFA": 99.0}}))

    assert "open    at the end: ALFA 10 at 100.00, -10.00" in text


def test_limits_that_were_reached_and_symbols_without_bars_are_shown() -> None:
    reached = {"breaches": ["the largest daily loss is reached [x]"], "without_bars": {"ALFA": 99.0}}
    sessions = (99_990.0, [ROUND_TRIP[0]], {**reached, "last_prices": {"ALFA": 99.0}})

    _, (day,) = ledger_with(sessions)

    assert "limit   the largest daily loss is reached [x]" in text_of(day_trading_lines(day))
    assert "no bars of what is held, which stays at its last price: ALFA at 99.00" in text_of(day_trading_lines(day))
    assert "limit   the largest daily loss is reached [x]" in shown_of(sessions, (99_990.0, [], {}))


def test_a_run_without_an_order_says_so_and_no_more() -> None:
    assert shown_of((100_000.0, [], {})) == "The run: no order was placed, equity 100,000.00\n"


def test_a_session_has_a_line_about_its_trading() -> None:
    _, (busy, idle) = ledger_with((100_028.0, ROUND_TRIP, {}), (100_028.0, [], {}))

    assert "equity  100,028.00, +28.00 in the session: 2 fills, 1 trade closed" in text_of(day_trading_lines(busy))
    assert "equity  100,028.00, no orders" in text_of(day_trading_lines(idle))


@pytest.mark.parametrize(
    ("number", "form", "text"),
    [
        (None, "money", "-"),
        (1234.5, "money", "1,234.50"),
        (-0.0123, "percent", "-1.23%"),
        (1e6, "percent", "1e+06 x"),
        (1, "days", "1 day"),
        (30, "days", "30 days"),
        (1234, "count", "1,234"),
        (1.5, "ratio", "1.50"),
    ],
)
def test_numbers_are_written_for_people(number: float | None, form: str, text: str) -> None:
    assert shown(number, form) == text


def test_labels_show_closed_trades_only_and_claim_nothing_of_what_is_open() -> None:
    bought = made_fill("ALFA", 10, 100.0, tag="dip")
    held = {"positions": [Position("ALFA", 10, 100.0, 103.0)], "last_prices": {"ALFA": 103.0}}
    sold = [made_fill("BRVO", 10, 50.0, number=2, tag="dip"), made_fill("BRVO", -10, 51.0, number=3, minute=5)]

    lines = shown_of((100_040.0, [bought, *sold], held)).splitlines()

    heads = {line.split()[0]: line.split() for line in lines if line.startswith(("label", "symbol"))}
    assert "open" in heads["symbol"]
    assert heads["label"] == ["label", "trades", "won", "realized", "fees", "net"]
