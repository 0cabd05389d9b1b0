"""Memory of a live session of many symbols over a whole day, with a thousand additions and removals (L15).

``python -m benchmarks.live_soak [SYMBOLS] [A_MINUTE]`` plays 390 minutes of made-up 1m bars, with 5m and 15m derived
and ten indicators each. From minute 70 to 290 a scanner adds so many symbols at each minute, and removes those of the
minute before. It prints the resident memory every 30 minutes; that of minute 300 is to be at most 5 % above that of
minute 60.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from pathlib import Path

from benchmarks.made_feed import play

from openbell.components.scanner import Scanner
from openbell.components.strategy import Strategy

MINUTES = 390
CHURN = "10:40", "14:20"


class Watches(Strategy):
    """Reads a column of all symbols at each bar of 1m and 5m."""

    def subscriptions(self) -> list[tuple[str, str]]:
        return [(symbol, interval) for symbol in self.context.symbols for interval in ("1m", "5m")]

    def on_slice(self, bars) -> None:
        bars.close.max()


class ComesAndGoes(Scanner):
    """Adds symbols, and removes those that it added at the minute before."""

    def scan(self) -> list[str]:
        minute = self.context.now_ns // 60_000_000_000
        count = self.config["count"]
        assert all(self.context.add_symbols([f"T{minute % 1000}X{n}" for n in range(count)]).values())
        self.context.remove_symbols([f"T{(minute - 1) % 1000}X{n}" for n in range(count)])
        return []


def resident_mb() -> float:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def main(symbols: int = 500, a_minute: int = 5) -> None:
    memory: dict[int, float] = {}

    def at_minute(minute: int) -> None:
        if minute % 30 == 0:
            memory[minute] = resident_mb()
            print(
                f"minute {minute:3}: {memory[minute]:7.1f} MB, {time.process_time():6.1f} s of the processor",
                flush=True,
            )

    schedule = [{"start": CHURN[0], "end": CHURN[1], "every": "1m"}]
    scanner = {"module": "benchmarks.live_soak:ComesAndGoes", "config": {"count": a_minute}, "schedule": schedule}
    parts = {"strategies": [{"module": "benchmarks.live_soak:Watches"}], "scanners": [scanner] if a_minute else []}
    play([f"S{n:04d}" for n in range(symbols)], MINUTES, parts, at_minute)
    print(f"minute 300 to minute 60: {memory[300] / memory[60]:.3f} x (at most 1.05)")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
