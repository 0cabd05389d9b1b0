"""What the scripts of the sweep share: the crossings of many pairs, and what they tell.

Runs in each peer's own environment: only the standard library.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from benchmarks.peers.common import Crossings, clock, memory_mb, tell

Found = list[tuple[int, str, bool]]


class Stopwatch:
    """Seconds of the wall and of the processor since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = clock(), time.process_time()

    def facts(self, name: str) -> dict[str, float]:
        """The seconds, by the names of what took them."""
        return {f"{name}_s": clock() - self._wall, f"{name}_cpu_s": time.process_time() - self._cpu}


def start_facts() -> dict[str, float]:
    """The seconds since this process began: its imports, and what it compiled."""
    began = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
    return {"start_s": time.clock_gettime(time.CLOCK_BOOTTIME) - began, "start_cpu_s": time.process_time()}


def of_pair(pair: tuple[int, int], found: Found) -> Found:
    """The crossings of one pair, under a symbol that names it."""
    return [(ns, f"{pair[0]}-{pair[1]} {symbol}", above) for ns, symbol, above in found]


def tell_pairs(work: dict[str, Any], found: Found, **facts: Any) -> None:
    """Print the facts as one JSON line, and hand in the crossings of all pairs."""
    crossings = Crossings()
    crossings.found = found
    tell(work, crossings, points=len(work["pairs"]), peak_mb=memory_mb(), **facts)
