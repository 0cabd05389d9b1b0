"""The public face of openbell: exactly these names, each from its home, and none of them loaded before it is used."""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import openbell

PUBLIC = {
    *("Bar", "Bars", "CrossSection", "BarIntervalData", "IndicatorData", "SessionData"),
    *("load_config", "SessionConfig", "IndicatorConfig"),
    *("Strategy", "StrategyContext", "Signal", "Scanner", "ScannerContext", "AddedIndicator", "Requirement"),
    *("SystemManager", "SessionObserver", "RunFolder", "TimeManager", "DataManager", "BarStore"),
    *("RunResult", "DayResult", "PlanResult", "SignalEvent", "ScanEvent", "ProvisioningRecord"),
    *("Order", "Fill", "Position", "Trade", "Performance"),
    *("OpenbellError", "ConfigError", "DataError", "ProvisioningError", "ComponentError"),
    *("Interval", "parse_interval", "Addition", "IntervalNeed", "Needs", "Source"),
    *("ProvisioningRequirements", "analyze_requirements"),
    "OrderError",
    *("configure_logs", "get_logger", "indicators"),
    "sweep",
    *("HtmlPage", "OpenedRun", "open_run"),
}
REGISTRIES = {"OPERATIONS", "RULES", "SOURCES", "STEPS"}


def test_the_public_names_are_these() -> None:
    assert set(openbell.__all__) == PUBLIC | REGISTRIES
    assert set(openbell.__all__) <= set(dir(openbell))


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_public_name_is_there_and_documented(name: str) -> None:
    item = getattr(openbell, name)

    assert item.__name__ in (name, f"openbell.{name}")
    assert item.__doc__


def test_any_other_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'openbell' has no attribute 'Strateggy'"):
        openbell.Strateggy  # noqa: B018  the look-up is what is tested


def test_importing_openbell_loads_no_library_and_nothing_of_its_own() -> None:
    script = (
        "import json, sys; before = set(sys.modules); import openbell; print(json.dumps([*set(sys.modules) - before]))"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    loaded = json.loads(done.stdout)
    assert [name for name in loaded if name.startswith("openbell.")] == []
    assert not {"numpy", "polars", "pandas", "pydantic", "talib", "exchange_calendars"} & set(loaded)


def test_what_the_type_checker_sees_is_what_there_is() -> None:
    source = Path(openbell.__file__).read_text(encoding="utf-8")
    imports = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom) and node.level == 0]
    seen = {alias.name: node.module for node in imports for alias in node.names if node.module != "__future__"}

    assert set(openbell.__all__) <= set(seen)
    for name in openbell.__all__:
        assert getattr(openbell, name) is getattr(importlib.import_module(str(seen[name])), name)


def test_the_version_is_that_of_the_installed_package() -> None:
    assert openbell.__version__ == version("openbell")
    assert "__version__" in dir(openbell)
