"""Orders, fills, trades and cash flows as frames: the same columns with many rows and with none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from made_trading import DAY, OPEN_NS, made_fill, made_order, made_trade
from openbell.model.cash_flow import CashFlow, CashFlowKind
from openbell.model.order import OrderStatus, OrderType
from openbell.results.folder.trading_frames import fill_frame, flow_frame, order_frame, trade_frame

if TYPE_CHECKING:
    from pathlib import Path

FLOW = CashFlow(
    kind=CashFlowKind.DIVIDEND, symbol="ALFA", quantity=10.0, amount=5.0, time_ns=OPEN_NS, zone=UTC, session_date=DAY
)


@pytest.mark.parametrize(
    ("frame_of", "row"),
    [
        (order_frame, made_order("ALFA", 10)),
        (fill_frame, made_fill("ALFA", 10, 100.0)),
        (trade_frame, made_trade(pnl=5.0)),
        (flow_frame, FLOW),
    ],
)
def test_a_frame_without_rows_has_the_same_schema(frame_of: object, row: object, tmp_path: Path) -> None:
    assert callable(frame_of)
    full, empty = frame_of([row]), frame_of([])

    assert (full.height, empty.height) == (1, 0)
    assert full.schema == empty.schema
    full.write_parquet(tmp_path / "frame.parquet")
    assert pl.read_parquet(tmp_path / "frame.parquet").equals(full)


def test_an_order_has_its_prices_state_and_reason() -> None:
    order = made_order(
        "ALFA", -10, type=OrderType.STOP_LIMIT, stop=9.0, limit=8.5, status=OrderStatus.REJECTED, reason="too large",
        filled_quantity=0.0,
    )  # fmt: skip

    (row,) = order_frame([order]).to_dicts()

    assert (row["type"], row["status"], row["reason"]) == ("stop_limit", "rejected", "too large")
    assert (row["stop"], row["limit"], row["trail"], row["average_fill_price"]) == (9.0, 8.5, None, None)
    assert row["created"].isoformat() == "2024-07-02T13:30:00+00:00"


def test_times_of_trades_are_utc_whatever_the_exchange() -> None:
    new_york = ZoneInfo("America/New_York")
    trade = made_trade(pnl=5.0)
    there = replace(trade, entry_time=trade.entry_time.astimezone(new_york), exit_time=trade.exit_time)

    (row,) = trade_frame([there]).to_dicts()

    assert row["entry_time"] == trade.entry_time
    assert (row["held"], row["return"]) == (timedelta(minutes=5), 0.05)


def test_texts_that_no_file_takes_are_escaped() -> None:
    (row,) = fill_frame([made_fill("ALFA", 10, 100.0, tag="\ud800")]).to_dicts()

    assert row["tag"] == "\\ud800"
