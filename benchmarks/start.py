"""How long it takes until something happens: imports, the first answer of the command line; and what imports weigh."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
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
"""Libraries that openbell uses, and what is there already when it imports them; TA-Lib by itself imports pandas."""


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
        "run": measure_run(repeats),
        "imports": {name: import_cost(name, after) for name, after in IMPORTS.items()},
    }


RUN = """\
session_name: one
store: store
backtest_config: {start_date: 2024-07-02, end_date: 2024-07-02}
session_data_config: {symbols: [ALFA]}
strategies:
  - {module: "openbell.examples.ema_cross:EmaCross", config: {fast: 10, slow: 20, interval: 5m}}
"""
"""One symbol and one day of the demo's market, with a strategy on derived bars and two of TA-Lib's indicators."""

MOST_TIMES_POLARS = 3.0
MOST_MIB = 110.0
MOST_OWN_MIB = 56.0
"""Of these, what is the process's own. The other pages are of shared libraries, which any process may use, and the
kernel maps 55 to 63 MiB of them for the same run, as they lie in its page cache."""
LEEWAY = 1.05
"""Machines and releases of libraries differ by this much; what is beyond is openbell's own doing."""

AS_COMMAND = """
import atexit, sys
from openbell.__main__ import main

def note(file=sys.argv.pop(1)):
    with open("/proc/self/status") as status, open(file, "w") as target:
        facts = dict(line.split(":", 1) for line in status)
        target.write(facts["RssFile"].split()[0])

atexit.register(note)
main()
"""
"""The command, which notes at its end how many KiB of files are mapped."""


def measure_run(repeats: int = 15) -> dict[str, float]:
    """Whole processes of a short run and of ``import polars`` in turn: CPU seconds and peak memory, medians.

    ``own_mib`` is the peak without pages of files.
    """
    with TemporaryDirectory(prefix="openbell-start-") as name:
        folder = Path(name)
        subprocess.run([OPENBELL, "demo", "--out", name], check=True, capture_output=True)
        (folder / "one.yaml").write_text(RUN)
        note = folder / "files"
        command = [PYTHON, "-c", AS_COMMAND, str(note), "run", str(folder / "one.yaml"), "--out"]
        polars, run = [], []
        for number in range(repeats + 1):
            polars.append(_process(COMMANDS["import polars"]))
            seconds, mib = _process([*command, str(folder / f"run-{number}")])
            run.append((seconds, mib, mib - int(note.read_text()) / 1024))
    # In the first two processes Python may compile modules.
    polars_s, (run_s, run_mib, own_mib) = median(s for s, _ in polars[1:]), map(median, zip(*run[1:], strict=True))
    return {
        "times_polars": round(run_s / polars_s, 2),
        "cpu_ms": round(run_s * 1000, 1),
        "peak_mib": round(run_mib, 1),
        "own_mib": round(own_mib, 1),
    }


WATCH = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, capture_output=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
"""


def _process(command: list[str]) -> tuple[float, float]:
    """CPU seconds and peak MiB of a process; CPU, since what else the machine does adds less to it."""
    # A small process starts it, because the peak of a process begins with the size of the one that starts it.
    # Users have compiled modules: pip compiles what it installs.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    watch = [PYTHON, "-c", WATCH, *command]
    done = subprocess.run(watch, check=True, capture_output=True, text=True, env=environment)
    seconds, mib = map(float, done.stdout.split())
    return seconds, mib


def start_losses(measured: dict[str, float]) -> list[str]:
    """What is to be told of a start that takes too long or too much."""
    times, mib, own = measured["times_polars"], measured["peak_mib"], measured["own_mib"]
    print(
        f"start: a short run takes {times} times import polars (at most {MOST_TIMES_POLARS}), and {mib} MiB "
        f"({MOST_MIB}), of which {own} MiB are its own ({MOST_OWN_MIB})", flush=True,
    )  # fmt: skip
    losses = []
    if times > MOST_TIMES_POLARS * LEEWAY:
        losses.append(f"start: {times} times import polars instead of {MOST_TIMES_POLARS} at most is slower")
    if own > MOST_OWN_MIB * LEEWAY:
        losses.append(f"start: {own} MiB of its own instead of {MOST_OWN_MIB} at most is larger")
    return losses


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
