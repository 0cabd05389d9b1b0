"""Memory and time of one-minute bars of thousands of symbols, looked at across symbols.

    python -m benchmarks.many_symbols [SYMBOLS ...]

Each number of symbols (500, 1,000 and 5,000 unless given) runs five sessions in a process of its own, with one
`on_slice` a minute. Printed are the time with loading and the peak of memory, which is to grow no faster than the
symbols.
"""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
from benchmarks.environments import CACHE
from benchmarks.peers.common import memory_mb
from benchmarks.synthetic import make_store, sessions, symbols

from openbell.components.strategy import Strategy
from openbell.config import load_config
from openbell.engine.system import SystemManager

SESSIONS = 5


class MeanClose(Strategy):
    """Looks at the closes of all symbols once a minute."""

    def subscriptions(self) -> list[tuple[str, str]]:
        """All symbols."""
        return [(symbol, "1m") for symbol in self.context.symbols]

    def on_slice(self, bars: object) -> None:
        """Take their mean."""
        np.mean(bars.close)


def run(count: int) -> None:
    """Run with so many symbols, and print."""
    folder = CACHE / "many_symbols" / str(count)
    if not folder.exists():
        make_store(folder, count, SESSIONS + 1, "1m")
    days = sessions(SESSIONS + 1)
    config = {
        "session_name": "many_symbols",
        "backtest_config": {"start_date": str(days[1]), "end_date": str(days[-1])},
        "session_data_config": {"symbols": symbols(count), "streams": ["1m"]},
        "strategies": [{"module": "benchmarks.many_symbols:MeanClose"}],
    }
    started = time.perf_counter()
    SystemManager(load_config(config), store=folder).run()
    print(f"{count:,} symbols: {time.perf_counter() - started:.1f} s, {memory_mb():,.0f} MB", flush=True)


def main() -> None:
    """Run each size in a process of its own."""
    sizes = [int(size) for size in sys.argv[1:]] or [500, 1_000, 5_000]
    if len(sizes) == 1:
        run(sizes[0])
        return
    for size in sizes:
        subprocess.run([sys.executable, "-m", "benchmarks.many_symbols", str(size)], check=True)


if __name__ == "__main__":
    main()
