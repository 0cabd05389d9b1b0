"""Sessions whose first minutes have no bars, live as in a backtest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from live.parity import both
from live.sessions import early, session
from openbell import Strategy
from openbell.live.record.verify import verify_run
from openbell.testing import bar_starts, make_store, random_bars

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

DAY = "2024-07-02"


class Remembers(Strategy):
    """Counts bars in its state from its setup on, and orders then or at the first bar, as its config says."""

    def setup(self) -> None:
        self.state.setdefault("bars", 0)
        if self.config["orders"] == "setup":
            self.context.order("A", 1)

    def subscriptions(self) -> Iterable[tuple[str, str]]:
        return [("A", "1m")]

    def on_bar(self, bar: object) -> None:
        self.state["bars"] += 1
        if self.state["bars"] == 1 and self.config["orders"] == "bar":
            self.context.order("A", 1)


@pytest.mark.parametrize("orders", ["never", "setup", "bar"])
def test_what_a_setup_leaves_in_the_state_is_written_before_the_first_bar(orders: str, tmp_path: Path) -> None:
    bars = random_bars(bar_starts(DAY, DAY))[2:]
    store = make_store(tmp_path / "store", {"A": {"1m": bars}})
    strategy = {"module": f"{__file__}:Remembers", "config": {"orders": orders}}
    runs = both(
        session(strategy, days=DAY, symbols=("A",), streams=("1m",), exchange=early("10:00", DAY)), store, tmp_path
    )
    assert runs.differences == []
    first = json.loads(runs.lines("state.jsonl")[0])
    assert (first["time"][11:16], first["state"]) == ("09:30", {"bars": 0})
    found = verify_run(runs.live)
    assert (found.differences, found.revisions) == ((), 0)
