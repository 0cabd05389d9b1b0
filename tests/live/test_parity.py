"""A live session equals its backtest to the bit, in all that strategies see, ask for and get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from live.parity import both
from live.sessions import ALL, HISTORY, INDICATORS, early, pairs, picker, seer, session, slices, trader
from openbell.live.record.verify import verify_run

if TYPE_CHECKING:
    from pathlib import Path


def require_equal(config: dict[str, Any], store: Path, folder: Path, *, fills: int = 10) -> None:
    """Play a config twice, and let `verify_run` say the same."""
    runs = both(config, store, folder)
    assert runs.differences == []
    assert len(runs.lines("fills.jsonl")) >= fills
    found = verify_run(runs.live)
    assert (found.differences, found.revisions) == ((), 0)


def test_orders_and_slices_of_symbols_without_history_one_of_them_added_at_1017(
    minute_store: Path, tmp_path: Path
) -> None:
    """Nothing but the day itself is asked for, so that the feed has no bars of days before."""
    adds = seer([("SPY", "15m")], add={"10:17": ["AIG"]})
    require_equal(session(adds, slices("5m"), trader()), minute_store, tmp_path)


@pytest.mark.long
def test_a_scanner_three_strategies_and_indicators_that_are_added_in_mid_session(
    minute_store: Path, tmp_path: Path
) -> None:
    ema = [{"name": "ema", "period": 9, "interval": "15m"}, {"name": "kama", "interval": "1m"}]
    config = session(
        seer(pairs(), add={"10:17": ["AIG"]}, indicators={"11:00": ema}),
        slices("1m", "5m"),
        trader(),
        scanners=[
            picker("10:03", "11:10", "11:30", add={"10:03": ["BAC"], "11:30": ["BAC"]}, remove={"11:10": ["BAC"]})
        ],
        exchange=early("12:00", "2013-10-09"),
        historical=HISTORY,
        indicators=INDICATORS,
    )
    require_equal(config, minute_store, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize(
    "execution",
    [
        {"fills": {"market": "this_close"}},
        {"fills": {"max_volume_share": 0.02}},
        {"cash": 20_000, "risk": {"max_daily_loss_percent": 0.05}},
        {"cash": 9_000, "leverage": 4, "maintenance": {"long_percent": 26, "short_percent": 30}},
        {"account": "cash", "cash": 5_000, "fees": {"model": "ibkr_fixed"}, "slippage": {"model": "bps", "bps": 2}},
        {"signals": {"BUY": {"percent": 10}}, "fills": {"both_touched": "better"}},
    ],
    ids=["this_close", "volume", "daily_loss", "margin", "cash", "signals"],
)
def test_three_strategies_that_trade_over_three_days(
    execution: dict[str, Any], minute_store: Path, tmp_path: Path
) -> None:
    config = session(
        trader(),
        trader("Often", every=3),
        trader("Coarse", interval="5m", every=2),
        days=("2013-10-08", "2013-10-10"),
        exchange=early("12:00", "2013-10-08", "2013-10-10"),
        symbols=("SPY", "IBM", "BAC"),
        execution=execution,
    )
    require_equal(config, minute_store, tmp_path)


@pytest.mark.long
def test_orders_of_the_day_before_fill_in_the_turn_in_which_they_were_given(minute_store: Path, tmp_path: Path) -> None:
    """Plain limits among them are looked at in the morning by a backtest, which has the day's bars, and later live."""
    config = session(
        trader(),
        trader("Often", every=3),
        days=("2013-10-08", "2013-10-09"),
        exchange=early("12:00", "2013-10-08", "2013-10-09"),
        symbols=("SPY", "IBM", "BAC"),
        execution={"fills": {"market": "this_close"}},
    )
    require_equal(config, minute_store, tmp_path)


@pytest.mark.long
def test_a_week_with_additions_near_open_and_close(minute_store: Path, tmp_path: Path) -> None:
    config = session(
        seer(pairs(), add={"11:50": ["AIG"]}),
        trader(),
        days=("2013-10-07", "2013-10-11"),
        exchange=early("12:00", *(f"2013-10-{day:02}" for day in range(7, 12))),
        scanners=[picker("09:31", add={"09:31": ["BAC"]})],
        historical=HISTORY,
        indicators=INDICATORS,
    )
    require_equal(config, minute_store, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("more", [{"gap_policy": "forward"}, {"min_completeness": 0.9}, {"adjustment": "total"}])
def test_bars_that_are_filled_left_out_or_adjusted(more: dict[str, Any], minute_store: Path, tmp_path: Path) -> None:
    config = session(
        seer(pairs()), trader(),
        symbols=ALL, historical=HISTORY, indicators=INDICATORS, exchange=early("12:00", "2013-10-09"), **more,
    )  # fmt: skip
    require_equal(config, minute_store, tmp_path)
