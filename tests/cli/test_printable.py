"""Nothing from files, users or servers gives orders to a terminal."""

from __future__ import annotations

from itertools import repeat

import pytest
from typer.testing import CliRunner

from openbell.cli.app import app
from openbell.cli.terminal.console import say, show
from openbell.cli.terminal.printable import escape
from openbell.cli.terminal.tables import make_table
from openbell.engine.component_runner import bounded
from openbell.logs import configure_logs, get_logger

CODES = "A\x1b[2J\x1b]0;title\x07\u202e\ud800Z"


def test_codes_in_messages_and_tables_are_shown_not_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    table = make_table(escape(CODES), "symbol")
    table.add_row(escape(CODES))
    say(CODES)
    show(CODES, markup=False)
    show(table)

    captured = capsys.readouterr()
    for text in (captured.out, captured.err):
        assert "\\x1b" in text
        assert all(char.isprintable() or char == "\n" for char in text)


def test_long_texts_are_cut(capsys: pytest.CaptureFixture[str]) -> None:
    say("x" * 1_000_000)
    assert len(escape("x" * 1_000_000)) < 3_000
    assert len(capsys.readouterr().err) < 200_000


def test_what_has_no_end_is_refused() -> None:
    with pytest.raises(ValueError, match="never end"):
        bounded(repeat(1), "signals")


class Hostile:
    def __repr__(self) -> str:
        return CODES


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError(CODES)


def test_the_log_has_no_codes_wherever_they_lie(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs()
    log = get_logger(bound=CODES)
    try:
        int(CODES)
    except ValueError:
        log.exception(CODES, nested=[CODES, {CODES: (CODES, Hostile())}], mine=Hostile(), broken=Broken(), **{CODES: 1})
    log.warning("with a stack", stack_info=True)

    told = capsys.readouterr().err
    assert all(char.isprintable() or char in "\n\t" for char in told)
    assert told.count("\\x1b[2J") >= 6
    assert "ValueError: invalid literal" in told
    assert "Broken that cannot be shown: RuntimeError" in told
    assert len(told.splitlines()) > 5  # a traceback keeps its lines


@pytest.mark.parametrize(
    "words",
    [
        ["check", "a", CODES],
        ["data", "check", f"--x{CODES}"],
        [CODES],
        ["data", CODES],
        ["data", "check", "--top", CODES],
    ],
)
def test_usage_errors_have_no_codes(words: list[str]) -> None:
    result = CliRunner().invoke(app, [word.replace("\ud800", "") for word in words])

    assert result.exit_code == 2
    assert all(char.isprintable() or char == "\n" for char in result.output)
