"""Nothing outside openbell.timing reads the machine's clock: proved over the syntax trees of the whole source."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src" / "openbell"

TIME_FUNCTIONS = {
    *("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns"),
    *("process_time", "process_time_ns", "thread_time", "thread_time_ns"),
    *("localtime", "gmtime", "ctime", "asctime", "strftime", "clock_gettime", "clock_gettime_ns"),
}
CLOCK_CLASSES = {"datetime", "date", "Timestamp", "DateTime"}
CLOCK_METHODS = {"now", "utcnow", "today"}


MENTIONED = re.compile(r"\b(import|from)\b.*\btime\b|\b(now|utcnow|today)\b")
"""Stands in every source that reads a clock: the import of `time`, or the name of a method."""


def clock_readings(source: str) -> list[tuple[int, str]]:
    """Line and text of everything in a module that reads the machine's clock, or hands such a function on."""
    if not MENTIONED.search(source):
        return []
    tree = ast.parse(source)
    names = _imported_names(tree)
    return [(node.lineno, ast.unparse(node)) for node in ast.walk(tree) if _reads_clock(node, names)]


def _imported_names(tree: ast.Module) -> dict[str, str]:
    """What each imported name stands for, aliases resolved."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                package = alias.name.split(".")[0]
                names[alias.asname or package] = alias.name if alias.asname else package
        elif isinstance(node, ast.ImportFrom):
            names.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
    return names


def _full_name(node: ast.expr, names: dict[str, str]) -> str:
    """``module.Class.method`` of a dotted expression; "" when it is not one."""
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        owner = _full_name(node.value, names)
        return f"{owner}.{node.attr}" if owner else ""
    return ""


def _reads_clock(node: ast.AST, names: dict[str, str]) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.module == "time"
    if isinstance(node, ast.Attribute):
        return _is_clock(_full_name(node, names))
    return isinstance(node, ast.Call) and _asks_numpy_for_now(node, names)


def _is_clock(name: str) -> bool:
    *owner, function = name.split(".")
    if owner == ["time"]:
        return function in TIME_FUNCTIONS
    return bool(owner) and owner[-1] in CLOCK_CLASSES and function in CLOCK_METHODS


def _asks_numpy_for_now(node: ast.Call, names: dict[str, str]) -> bool:
    first = node.args[0] if node.args else None
    is_text = isinstance(first, ast.Constant) and first.value in ("now", "today")
    return is_text and _full_name(node.func, names).endswith("datetime64")


def modules_outside_timing() -> list[Path]:
    return [path for path in sorted(SOURCE.rglob("*.py")) if path.relative_to(SOURCE).parts[0] != "timing"]


def test_nothing_outside_timing_reads_the_clock() -> None:
    modules = modules_outside_timing()
    readings = [
        f"{path.relative_to(SOURCE)}:{line}: {text}"
        for path in modules
        for line, text in clock_readings(path.read_text(encoding="utf-8"))
    ]

    assert modules
    assert not readings, "ask TimeManager, or openbell.timing.stopwatch, instead:\n" + "\n".join(readings)


def test_the_search_finds_the_clocks_of_timing_itself() -> None:
    assert len(clock_readings((SOURCE / "timing" / "clock.py").read_text(encoding="utf-8"))) >= 3


@pytest.mark.parametrize(
    "source",
    [
        "import time; time.time()",
        "import time as t; t.perf_counter()",
        "from time import monotonic",
        "from time import sleep",
        "import time; field(default_factory=time.time_ns)",
        "from datetime import datetime; datetime.now()",
        "from datetime import datetime as dt; dt.now(UTC)",
        "import datetime; datetime.datetime.utcnow()",
        "import datetime as d; d.date.today()",
        "from datetime import date; date.today()",
        "def f():\n    import time\n    return time.monotonic_ns()",
        "import pandas as pd; pd.Timestamp.now()",
        "import numpy as np; np.datetime64('now')",
    ],
)
def test_the_search_finds_every_way_to_read_the_clock(source: str) -> None:
    assert clock_readings(source)


@pytest.mark.parametrize(
    "source",
    [
        "time_manager.get_current_time()",
        "from datetime import time; time(9, 30)",
        "import datetime; datetime.datetime(2013, 10, 10)",
        "import time; time.sleep(1)",
        "self.time.now_ns",
        "session.today",
        "import numpy as np; np.datetime64('2013-10-10')",
        "text = 'datetime.now()'",
    ],
)
def test_the_search_leaves_everything_else_alone(source: str) -> None:
    assert not clock_readings(source)
