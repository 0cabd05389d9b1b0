"""Nothing from files, users or servers gives orders to a terminal."""

from __future__ import annotations

from itertools import repeat

import pytest

from openbell.cli.terminal.console import say, show
from openbell.cli.terminal.printable import escape
from openbell.cli.terminal.tables import make_table
from openbell.engine.component_runner import bounded

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
