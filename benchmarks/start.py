"""How long it takes until something happens: imports and the first answer of the command line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

PYTHON = sys.executable
COMMANDS = {
    "python": [PYTHON, "-c", "pass"],
    "import polars": [PYTHON, "-c", "import polars"],
    "import openbell": [PYTHON, "-c", "import openbell"],
    "import openbell and its SystemManager": [PYTHON, "-c", "from openbell import SystemManager"],
    "import typer": [PYTHON, "-c", "import typer"],
    "openbell --help": [str(Path(PYTHON).parent / "openbell"), "--help"],
}
HEAVY = ("polars", "pandas", "talib", "exchange_calendars", "numba")


def measure_start(repeats: int = 15) -> dict[str, Any]:
    """Medians in ms, the commands in turn; and which heavy libraries `import openbell` loads."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(repeats):
        for name, command in COMMANDS.items():
            started = perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            times[name].append((perf_counter() - started) * 1000)
    ask = f"import sys, openbell; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    loaded = subprocess.run([PYTHON, "-c", ask], check=True, capture_output=True, text=True).stdout.split()
    return {"ms": {name: round(median(found), 1) for name, found in times.items()}, "import_openbell_loads": loaded}
