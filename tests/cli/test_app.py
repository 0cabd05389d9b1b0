"""The command line starts light, and ends with text for people and an exit code."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from openbell.cli.app import app
from openbell.cli.terminal.console import errors_for_people, print_json
from openbell.cli.terminal.lazy import LazyCommand
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
    from collections.abc import Iterator
    from pathlib import Path

HEAVY = ("polars", "pandas", "numpy", "talib", "exchange_calendars", "pyarrow", "openbell.config", "openbell.timing")
NOT_FOR_HELP = (*HEAVY, "pydantic", "structlog")
NOT_FOR_THE_LIST = (
    *NOT_FOR_HELP,
    "rich",
    "openbell.cli.run",
    "openbell.cli.check",
    "openbell.cli.data.ls",
    "openbell.cli.demo",
)
HELPS = [
    [*command, "--help"]
    for command in (["check"], ["run"], ["indicators"], ["data", "ls"], ["data", "check"], ["data", "import", "csv"])
]


LOADED_ONLY_WHERE_NEEDED = [
    (["--help"], NOT_FOR_THE_LIST),
    (["--version"], NOT_FOR_THE_LIST),
    (["data", "--help"], NOT_FOR_THE_LIST),
    *((command, NOT_FOR_HELP) for command in HELPS),
    (["schema"], ("polars", "pandas", "talib", "exchange_calendars", "pyarrow", "rich", "structlog")),
]

# Carries out each command in a process that is forked when only the command line is loaded.
FORKS = """
import os, sys
from openbell.cli.app import app

def forked(run):
    sys.stdout.flush(), sys.stderr.flush()
    child = os.fork()
    if not child:
        code = 1
        try:
            run()
            sys.stdout.flush()
            code = 0
        finally:
            os._exit(code)
    if os.waitpid(child, 0)[1]:
        sys.exit("it failed")
"""


def test_a_command_loads_only_what_it_needs() -> None:
    script = FORKS + (
        "def run(arguments, kept_out):\n"
        "    app(arguments, standalone_mode=False)\n"
        "    print(arguments, [name for name in kept_out if name in sys.modules], file=sys.stderr)\n"
        f"for arguments, kept_out in {LOADED_ONLY_WHERE_NEEDED!r}:\n"
        "    forked(lambda: run(arguments, kept_out))\n"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stderr.splitlines() == [f"{arguments} []" for arguments, _ in LOADED_ONLY_WHERE_NEEDED]
    assert "Usage: " in done.stdout


def lazy_commands(group: Any = None) -> Iterator[LazyCommand]:
    for command in (group or get_command(app)).commands.values():
        if isinstance(command, LazyCommand):
            yield command
        else:
            yield from lazy_commands(command)


@pytest.mark.parametrize("command", [*lazy_commands()], ids=str)
def test_a_command_is_listed_by_the_first_sentence_of_its_own_help(command: LazyCommand) -> None:
    assert command.get_short_help_str(10_000) == command.load().get_short_help_str(10_000) != ""


def test_the_list_tells_whole_sentences() -> None:
    listed = " ".join(CliRunner().invoke(app, ["--help"]).stdout.split())

    assert (
        "calendars List the calendars with their aliases, hours and time zones, or show the sessions of one." in listed
    )


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("openbell d", ["demo", "data"]),
        ("openbell data im", ["import"]),
        ("openbell data import p", ["parquet"]),
        ("openbell run --st", ["--store"]),
        ("openbell data import csv --label s", ["start"]),
    ],
)
def test_the_shell_completes_words(words: str, offered: list[str]) -> None:
    wanted = {"_OPENBELL_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}

    assert CliRunner().invoke(app, env=wanted, prog_name="openbell").stdout.split() == offered


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["chek"], "No such command 'chek'. Did you mean 'check'"),
        (["data", "imprt"], "No such command 'imprt'. Did you mean 'import'?"),
        (["data", "import", "cvs"], "No such command 'cvs'. Did you mean 'csv'?"),
        (["check"], "Missing argument 'config'"),
    ],
)
def test_a_wrong_word_is_told_with_the_right_one(arguments: list[str], told: str) -> None:
    result = CliRunner().invoke(app, arguments)

    assert result.exit_code == 2
    assert told in result.stderr


def test_the_version_is_that_of_the_package() -> None:
    result = CliRunner().invoke(app, ["--version"])

    assert result.exit_code == 0
    assert result.stdout == "openbell 0.1.0\n"


def test_the_package_runs_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "openbell", "--version"], capture_output=True, text=True, check=True)

    assert done.stdout == "openbell 0.1.0\n"


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


def logged(*commands: list[str]) -> list[str]:
    """Log one event of each level in a process for each command; the lines of each on stderr."""
    script = FORKS + (
        "import openbell.config  # not once for each\n"
        "from openbell.logs import get_logger\n"
        "def run(options):\n"
        "    app([*options, 'schema'], standalone_mode=False)\n"
        "    log = get_logger(component='test')\n"
        "    log.debug('small'), log.info('open', session_time='09:30'), log.warning('gap', symbol='IBM')\n"
        f"for options in {list(commands)!r}:\n"
        "    forked(lambda: run(options))\n"
        "    print('\\f', end='', file=sys.stderr), print('\\f', end='')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    for schema in done.stdout.split("\f")[:-1]:
        json.loads(schema)
    return done.stderr.split("\f")[:-1]


def test_logs_show_warnings_and_with_v_more() -> None:
    found = logged([], ["-v"], ["-vv"], ["-v", "--verbose"])

    assert [re.findall(r"^\[\w+ *\] (\w+)", lines, flags=re.MULTILINE) for lines in found] == [
        ["gap"], ["open", "gap"], ["small", "open", "gap"], ["small", "open", "gap"],
    ]  # fmt: skip


def test_logs_as_json_carry_session_time_and_no_time_of_the_machine() -> None:
    (lines,) = logged(["-v", "--log-json"])
    events = [json.loads(line) for line in lines.splitlines()]

    assert events == [
        {"event": "open", "level": "info", "component": "test", "session_time": "09:30"},
        {"event": "gap", "level": "warning", "component": "test", "symbol": "IBM"},
    ]


@pytest.mark.parametrize(
    ("before", "shown"),
    [
        ("pass", "gap"),
        ("configure_logs(1)", "open gap"),
        ("structlog.configure(processors=[lambda *_: exit('own')])", "own"),
    ],
)
def test_a_program_that_says_nothing_of_logs_sees_warnings_and_one_with_its_own_keeps_it(
    before: str, shown: str
) -> None:
    script = (
        "import structlog\n"
        "from openbell.logs import configure_logs, get_logger\n"
        f"{before}\n"
        "get_logger().debug('small'), get_logger().info('open'), get_logger().warning('gap')\n"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert done.stdout == ""
    assert re.sub(r"\[\w+ *\]", "", done.stderr).split() == shown.split()


@pytest.mark.parametrize("command", [[], ["run"], ["plan"], ["demo"], ["data", "ls"], ["data", "import", "csv"]])
def test_flags_do_not_look_as_if_they_took_a_value(command: list[str]) -> None:
    text = CliRunner().invoke(app, [*command, "--help"]).stdout

    assert "--help" in text
    assert "<bool>" not in text
    assert "<int>" not in text


@pytest.mark.parametrize("given", [{}, {"OPENBLAS_THREAD_TIMEOUT": "20"}], ids=["openbell's", "the user's"])
def test_idle_threads_of_numpy_sleep_at_once_unless_the_user_says_otherwise(given: dict[str, str]) -> None:
    found = "os.environ['OPENBLAS_THREAD_TIMEOUT']"
    script = f"import atexit, os, openbell.__main__ as it\natexit.register(lambda: print({found}))\nit.main()"
    environment = {k: v for k, v in os.environ.items() if k != "OPENBLAS_THREAD_TIMEOUT"} | given
    done = subprocess.run(
        [sys.executable, "-c", script, "--version"], check=True, capture_output=True, text=True, env=environment
    )
    assert done.stdout.splitlines()[-1] == given.get("OPENBLAS_THREAD_TIMEOUT", "4")


@pytest.mark.parametrize(
    "command", ["plan nope.yaml", "sweep nope.yaml", "data ls --store nope", "data import csv nope.csv --store new"]
)
def test_an_error_is_json_where_json_is_asked_for(
    tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, [*command.split(), "--json"])

    assert done.exit_code == 2
    assert json.loads(done.stdout)["error"].startswith(("nope", "there is no"))
    assert done.stderr.startswith("error: ")
