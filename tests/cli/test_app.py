"""The command line starts light, and ends with text for people and an exit code."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from openbell.cli.app import app
from openbell.cli.console import errors_for_people, print_json
from openbell.errors import (
    CalendarError,
    ComponentError,
    ConfigError,
    OpenbellError,
    ProvisioningError,
    ShortfallError,
    UnknownNameError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

HEAVY = ("polars", "pandas", "numpy", "talib", "exchange_calendars", "pyarrow", "openbell.config", "openbell.timing")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["check", "--help"], ["schema", "--help"]])
def test_help_loads_no_heavy_library(arguments: list[str]) -> None:
    script = (
        "import sys\n"
        "from openbell.cli.app import app\n"
        f"app({arguments!r}, standalone_mode=False)\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stderr.strip() == "[]"
    assert done.stdout


def test_the_version_is_that_of_the_package() -> None:
    result = CliRunner().invoke(app, ["--version"])

    assert result.exit_code == 0
    assert result.stdout == "openbell 0.1.0\n"


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["check"], ["check", "a.yaml", "--nonsense"]])
def test_wrong_usage_exits_2(arguments: list[str]) -> None:
    assert CliRunner().invoke(app, arguments).exit_code == 2


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("a"), 2),
        (UnknownNameError("indicator", "a", ["b"]), 2),
        (ProvisioningError("a"), 3),
        (CalendarError("a"), 1),
        (ShortfallError("a"), 1),
        (OpenbellError("a"), 1),
    ],
)
def test_every_error_has_its_exit_code(error: OpenbellError, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended, errors_for_people():
        raise error

    assert ended.value.exit_code == code
    assert f"error: {error}" in capsys.readouterr().err


def test_an_error_in_a_users_code_comes_with_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    @errors_for_people()
    def session() -> None:
        try:
            users_code()
        except KeyError as cause:
            raise ComponentError("strategy Mine", "on_bar", "2013-10-10T10:30:00-04:00", cause) from cause

    def users_code() -> None:
        raise KeyError("[bold]price[/bold]")

    with pytest.raises(typer.Exit):
        session()

    told = capsys.readouterr().err
    assert "in users_code" in told
    assert "[bold]price[/bold]" in told
    assert "strategy Mine.on_bar raised KeyError at 2013-10-10T10:30:00-04:00" in told


def test_json_holds_what_json_can_hold(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"day": date(2013, 10, 10), "values": np.array([1.5, np.nan]), "count": np.int64(3), "pair": (1, None)})

    assert json.loads(capsys.readouterr().out) == {
        "day": "2013-10-10",
        "values": [1.5, None],
        "count": 3,
        "pair": [1, None],
    }


@pytest.fixture
def run_logging(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Log one event of each level in a process of its own, and tell what came out on stderr."""

    def run(*arguments: str) -> str:
        script = (
            "from openbell.cli.app import app\n"
            "from openbell.logs import get_logger\n"
            f"app([*{list(arguments)!r}, 'schema'], standalone_mode=False)\n"
            "log = get_logger(component='test')\n"
            "log.debug('small'), log.info('open', session_time='09:30'), log.warning('gap', symbol='IBM')\n"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        json.loads(done.stdout)
        return done.stderr

    return run


def test_logs_show_warnings_and_with_v_more(run_logging: Callable[..., str]) -> None:
    def events(*arguments: str) -> list[str]:
        return re.findall(r"^\[\w+ *\] (\w+)", run_logging(*arguments), flags=re.MULTILINE)

    assert events() == ["gap"]
    assert events("-v") == ["open", "gap"]
    assert events("-vv") == ["small", "open", "gap"]


def test_logs_as_json_carry_session_time_and_no_time_of_the_machine(run_logging: Callable[..., str]) -> None:
    events = [json.loads(line) for line in run_logging("-v", "--log-json").splitlines()]

    assert events == [
        {"event": "open", "level": "info", "component": "test", "session_time": "09:30"},
        {"event": "gap", "level": "warning", "component": "test", "symbol": "IBM"},
    ]


@pytest.mark.parametrize("command", [[], ["run"], ["plan"], ["demo"], ["data", "ls"], ["data", "import", "csv"]])
def test_flags_do_not_look_as_if_they_took_a_value(command: list[str]) -> None:
    text = CliRunner().invoke(app, [*command, "--help"]).stdout

    assert "--help" in text
    assert "<bool>" not in text
    assert "<int>" not in text
