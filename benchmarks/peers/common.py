"""What every engine's script shares: the job it gets, the bars it reads, the crossings it records, the line it prints.

Runs in each peer's own environment: only the standard library and NumPy, and pyarrow where bars are read.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from pathlib import Path
from typing import Any

clock = time.perf_counter


def job() -> dict[str, Any]:
    """The job: one JSON file, named on the command line."""
    return json.loads(Path(sys.argv[1]).read_text())


def memory_mb(field: str = "VmHWM") -> float | None:
    """Peak resident memory of this process (``VmRSS``: the current one); None where the system does not tell.

    Not `resource.getrusage`: its peak contains that of the process that started this one.
    """
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next(round(int(line.split()[1]) / 1024, 1) for line in lines if line.startswith(field))


def read_with_pyarrow(job: dict[str, Any], columns: list[str]) -> dict[str, dict[str, Any]]:
    """Per symbol the columns of the measured sessions as NumPy arrays; ``timestamp`` is int64 ns, the bar's start."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    found = {}
    for symbol, files in job["files"].items():
        table = pa.concat_tables([pq.ParquetFile(file).read(["timestamp", *columns]) for file in files])
        starts = table["timestamp"].cast(pa.int64())
        keep = pc.and_(pc.greater_equal(starts, job["first_ns"]), pc.less(starts, job["end_ns"]))
        table = table.filter(keep)
        found[symbol] = {name: table[name].to_numpy() for name in columns}
        found[symbol]["timestamp"] = table["timestamp"].cast(pa.int64()).to_numpy()
    return found


class Crossings:
    """The strategy's rule, the same for all engines: note whenever the fast average changes its side."""

    def __init__(self) -> None:
        self.callbacks = 0
        self.above: dict[str, bool] = {}
        self.found: list[tuple[int, str, bool]] = []
        self.final: dict[str, tuple[float, float]] = {}

    def see(self, symbol: str, end_ns: int, fast: float, slow: float) -> None:
        """Called once a bar: its close in ns UTC, and both averages at it."""
        self.callbacks += 1
        above = fast > slow
        if self.above.get(symbol) is not above:
            self.above[symbol] = above
            self.found.append((end_ns, symbol, above))


def tell(job: dict[str, Any], crossings: Crossings | None = None, **facts: Any) -> None:
    """Print the facts as one JSON line; keep the crossings in the file that the job names.

    Memory first: to sort crossings and to write them down is no engine's work.
    """
    facts.setdefault("peak_mb", memory_mb())
    if crossings is not None:
        found = sorted((int(ns), str(symbol), bool(above)) for ns, symbol, above in crossings.found)
        Path(job["crossings"]).write_text(json.dumps(found))
        facts |= {"callbacks": crossings.callbacks, "final": crossings.final}
    facts["python"] = ".".join(map(str, sys.version_info[:3]))
    print(json.dumps(facts))


def settle() -> None:
    """Collect what imports left, so that no engine pays for it in its first pause."""
    gc.collect()


class Leaders:
    """The rule of the wide workload, the same for all engines: look across all symbols once a bar time."""

    def __init__(self) -> None:
        self.callbacks = 0
        self.found: list[tuple[int, str, bool]] = []
        self.final: dict[str, tuple[float, float]] = {}

    def look(self, end_ns: int, interval: str, symbols: list[str], close: Any, values: dict[str, Any]) -> None:
        """Called once a bar time and interval with one number per symbol of each column."""
        self.callbacks += 1
        rising = (values["ema"] > values["sma"]) & (values["roc"] > 0)
        strength = values["rsi"] * rising - values["atr"] / close
        best = int(strength.argmax())
        self.found.append((end_ns, f"{interval} {symbols[best]}", True))
        self.final[interval] = (float(strength[best]), float(strength.mean()))
