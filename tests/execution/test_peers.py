"""On real bars, orders fill as in another engine, at the same moments and prices and with the same equity."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from trading import trade

WEEK = ("2013-10-07", "2013-10-11")
MINUTE_NS = 60_000_000_000

BACKTRADER = json.loads((Path(__file__).parent / "peers" / "backtrader.json").read_text())
"""Market, limit and stop orders on the minutes of SPY in a week of 2013, and their fills in backtrader; none lies at a
price of a bar, because a limit that is only touched fills there and not here."""


def test_orders_fill_as_in_backtrader(minute_store: Path, tmp_path: Path) -> None:
    seen = iter(range(10_000))

    def on_bar(self: Any, bar: Any) -> None:
        number = next(seen)
        for after, kind, units, price in BACKTRADER["orders"]:
            if after == number:
                prices = {} if price is None else {kind: price}
                self.context.order("SPY", units, tif="gtc", **prices)

    run = trade(
        tmp_path, {}, store=minute_store, symbols=("SPY",), watch=[("SPY", "1m")], days=WEEK,
        execution={"cash": BACKTRADER["cash"]}, methods={"on_bar": on_bar},
    )  # fmt: skip

    ours = sorted((fill.time_ns, fill.quantity, round(fill.price, 9)) for fill in run.fills)
    theirs = sorted((begin, units, price) for begin, units, price in BACKTRADER["fills"])
    assert len(ours) == len(theirs) > 50
    # Theirs say in which bar; ours when: at its begin, or inside of it by its end.
    for (time_ns, *fill), (begin, *other) in zip(
        sorted(ours, key=lambda f: f[1:]), sorted(theirs, key=lambda f: f[1:]), strict=True
    ):
        assert fill == other
        assert time_ns - begin in (0, MINUTE_NS)
    assert run.result["performance"]["end_equity"] == pytest.approx(BACKTRADER["equity"], rel=1e-9)
