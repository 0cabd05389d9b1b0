"""How long a write of one symbol takes in stores of 100, 1,000 and 5,000 symbols.

    python -m benchmarks.write_speed

Each store has daily bars; a day is added to eleven symbols, one write each. Printed are medians: the CPU time and the
wall time of a write, and what it takes to open the store.
"""

from __future__ import annotations

import shutil
import time
from statistics import median

from benchmarks.environments import CACHE

from openbell.store.layout import BAR_SCHEMA
from openbell.store.store import BarStore
from openbell.testing import bar_starts, random_bars

SIZES = (100, 1_000, 5_000)
WRITES = 11


def main() -> None:
    """Make the stores, write, and print."""
    week, day = (
        random_bars(bar_starts(first, last, "1d")).cast(dict(BAR_SCHEMA))
        for first, last in (("2024-03-04", "2024-03-08"), ("2024-03-11", "2024-03-11"))
    )
    for size in SIZES:
        folder = CACHE / "write_speed" / str(size)
        shutil.rmtree(folder, ignore_errors=True)
        with BarStore.open_or_create(folder).writer() as writer:
            for number in range(size):
                writer.write(f"S{number:05}", "1d", week)
        started = time.process_time()
        store = BarStore.open(folder)
        open_ms = 1e3 * (time.process_time() - started)
        cpu, wall = [], []
        for number in range(WRITES):
            before = time.process_time(), time.perf_counter()
            store.write(f"S{number:05}", "1d", day)
            cpu.append(1e3 * (time.process_time() - before[0]))
            wall.append(1e3 * (time.perf_counter() - before[1]))
        print(f"{size:,} symbols: {median(cpu):.1f} ms CPU, {median(wall):.1f} ms; to open it {open_ms:.1f} ms")
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
