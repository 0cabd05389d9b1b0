"""Orders of symbols that were removed earlier in the session, live as in a backtest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from live.parity import both
from live.sessions import early, session
from openbell import Strategy
from openbell.live.record.verify import verify_run

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class ComesBack(Strategy):
    """Trades AIG, removes it, and at 10:20 orders it again, perhaps after it was added again."""

    def subscriptions(self) -> Iterable[tuple[str, str]]:
        return [("SPY", "1m")]

    def on_bar(self, bar: object) -> None:
        context, now = self.context, f"{self.context.now:%H:%M}"
        if now == "10:00":
            context.add_symbol("AIG")
            context.order("AIG", 10)
        elif now == "10:05":
            context.close("AIG")
        elif now == "10:10":
            context.remove_symbol("AIG")
        elif now == "10:20":
            if self.config.get("adds"):
                context.add_symbol("AIG")
            context.order_target("AIG", percent=10)


@pytest.mark.parametrize("adds", [False, True], ids=["ordered", "added_and_ordered"])
def test_an_order_of_a_symbol_that_left_the_session_fills_as_in_the_backtest(
    adds: bool, minute_store: Path, tmp_path: Path
) -> None:
    strategy = {"module": f"{__file__}:ComesBack", "config": {"adds": adds}}
    config = session(strategy, symbols=("SPY",), streams=("1m",), exchange=early("10:40", "2013-10-09"))
    runs = both(config, minute_store, tmp_path)
    assert runs.differences == []
    fills = [json.loads(line) for line in runs.lines("fills.jsonl")]
    assert [(one["symbol"], one["time"][11:16]) for one in fills] == [
        ("AIG", "10:00"), ("AIG", "10:05"), ("AIG", "10:20")
    ]  # fmt: skip
    found = verify_run(runs.live)
    assert (found.differences, found.revisions) == ((), 0)
