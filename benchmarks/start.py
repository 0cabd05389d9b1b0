"""How long it takes until something happens: imports, the first answer of the command line; and what imports weigh."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

PYTHON = sys.executable
OPENBELL = str(Path(PYTHON).parent / "openbell")
COMMANDS = {
    "python": [PYTHON, "-c", "pass"],
    "import polars": [PYTHON, "-c", "import polars"],
    "import openbell": [PYTHON, "-c", "import openbell"],
    "import openbell and its SystemManager": [PYTHON, "-c", "from openbell import SystemManager"],
    "import typer": [PYTHON, "-c", "import typer"],
    "openbell --help": [OPENBELL, "--help"],
    "openbell run --help": [OPENBELL, "run", "--help"],
    "openbell --version": [OPENBELL, "--version"],
    "openbell schema": [OPENBELL, "schema"],
    "openbell indicators": [OPENBELL, "indicators"],
}
HEAVY = ("polars", "pandas", "talib", "exchange_calendars", "numba")


IMPORTS = {
    "numpy": "",
    "polars": "numpy",
    "pydantic": "",
    "pandas": "numpy, polars",
    "talib": "numpy, polars",
    "exchange_calendars": "numpy, polars, pandas",
    "structlog": "",
    "rich.console": "",
}
"""Libraries that openbell uses, and what is there already when it imports them; TA-Lib itself imports pandas."""


def measure_start(repeats: int = 15) -> dict[str, Any]:
    """Medians in ms, the commands in turn; which heavy libraries `import openbell` loads; and what each costs."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(repeats):
        for name, command in COMMANDS.items():
            started = perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            times[name].append((perf_counter() - started) * 1000)
    ask = f"import sys, openbell; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    loaded = subprocess.run([PYTHON, "-c", ask], check=True, capture_output=True, text=True).stdout.split()
    return {
        "ms": {name: round(median(found), 1) for name, found in times.items()},
        "import_openbell_loads": loaded,
        "imports": {name: import_cost(name, after) for name, after in IMPORTS.items()},
    }


def import_cost(name: str, after: str, repeats: int = 5) -> dict[str, float | str]:
    """The median of the process's own ms, and the resident MB, that an import adds to those before it; Linux only."""
    script = (
        f"import time{', ' if after else ''}{after}\n"
        "def resident():\n"
        "    status = open('/proc/self/status').read()\n"
        "    return int(status.split('VmRSS:')[1].split()[0]) / 1024\n"
        "before, began = resident(), time.process_time()\n"
        f"import {name}\n"
        "print((time.process_time() - began) * 1000, resident() - before)\n"
    )
    runs = [
        subprocess.run([PYTHON, "-c", script], check=True, capture_output=True, text=True).stdout.split()
        for _ in range(repeats)
    ]
    ms, megabytes = (round(median(float(run[i]) for run in runs), 1) for i in (0, 1))
    return {"after": after, "ms": ms, "mb": megabytes}
