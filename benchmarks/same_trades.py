"""The same trades as other engines on real bars: ``python -m benchmarks.same_trades LEAN_FOLDER``.

SPY, AIG and BAC, one-minute bars of the regular hours of 7 to 11 October 2013; the rule of workload 9. backtrader and
zipline-reloaded fill at the next open, NautilusTrader at the close just seen, and openbell as the one that it is
compared with. Fills must be the same in moment, units and price, and equity at the end within 1e-6.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import date, time
from pathlib import Path
from typing import Any

import polars as pl
from benchmarks import engines
from benchmarks.agreement import orders_disagreement
from benchmarks.synthetic import calendar

from openbell.importers.lean.lean import import_lean
from openbell.store.store import BarStore

SYMBOLS = ["SPY", "AIG", "BAC"]
FIRST, LAST = date(2013, 10, 7), date(2013, 10, 11)
MARKETS = {"backtrader": "next_open", "zipline": "next_open", "nautilus": "this_close"}
"""Where each engine fills a market order, as openbell calls it."""


def regular_store(lean: Path, folder: Path) -> Path:
    """A store of the bars of regular hours alone: most engines play all that they are given."""
    whole = BarStore.open_or_create(folder / "whole")
    import_lean(lean, whole, symbols=SYMBOLS, intervals=["1m"])
    regular = BarStore.open_or_create(folder / "store")
    clock = pl.col("timestamp").dt.convert_time_zone("America/New_York").dt.time()
    for symbol in SYMBOLS:
        bars = whole.read([symbol], "1m", FIRST, LAST).filter(clock.is_between(time(9, 30), time(16), closed="left"))
        regular.write(symbol, "1m", bars.select("timestamp", "open", "high", "low", "close", "volume"))
    return folder / "store"


def job(store: Path) -> dict[str, Any]:
    """What the scripts get to know: the first day warms up, the second one settles, the others are traded."""
    days = calendar().sessions(FIRST, LAST)
    grid = calendar().grid(days[0], days[-1])
    folders = {name: store / "bars" / "interval=1m" / f"symbol={name}" for name in SYMBOLS}
    return {
        "workload": "orders",
        "pinned": True,
        "symbols": SYMBOLS,
        "store": str(store),
        "files": {name: [str(file) for file in sorted(folder.iterdir())] for name, folder in folders.items()},
        "history_day": str(days[0]),
        "first_day": str(days[1]),
        "last_day": str(days[-1]),
        "history_ns": int(grid.open_ns[0]),
        "first_ns": int(grid.open_ns[1]),
        "end_ns": int(grid.close_ns[-1]),
        "settled_ns": int(grid.open_ns[2]),
        "stored": "1m",
        "interval": "1m",
        "bar_ns": 60_000_000_000,
        "minutes": 1,
        "strategy": "EmaReversals",
    }


def main(lean: Path) -> int:
    """Compare, print a line per engine, and return whether one differs."""
    with tempfile.TemporaryDirectory() as folder:
        work = job(regular_store(lean, Path(folder)))
        ours = {market: engines.run("openbell", {**work, "market": market}, "_orders") for market in MARKETS.values()}
        differ = 0
        for engine, market in MARKETS.items():
            theirs = engines.run(engine, work, "_orders")
            failed = [run["failed"] for run in (theirs, ours[market]) if "failed" in run]
            problems = failed or orders_disagreement(theirs, ours[market], at_same_moments=True)["problems"]
            differ += bool(problems)
            same = f"the same {theirs.get('fills_count')} fills, equity {theirs.get('equity', 0.0):,.2f}"
            print(f"{engine} ({market}): {'; '.join(problems) or same}", flush=True)
    return int(differ > 0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
