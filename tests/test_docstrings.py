"""First lines of docstrings are one clause that begins with a verb or a noun."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = Path(__file__).resolve().parents[1] / "src" / "openbell"

RELATIVE = ("What", "Who", "Whoever", "Where", "When", "Which", "How", "Those")


def first_lines(source: str) -> Iterator[tuple[int, str]]:
    """The first line of each docstring, with its place."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield node.body[0].lineno, text.partition("\n")[0]


def is_one_clause(line: str) -> bool:
    return not re.search(r"[;:](\s|$)", line) and line.partition(" ")[0] not in RELATIVE


def test_a_first_line_is_one_clause() -> None:
    odd = [
        f"{path.relative_to(SOURCE)}:{place}: {line}"
        for path in sorted(SOURCE.rglob("*.py"))
        for place, line in first_lines(path.read_text(encoding="utf-8"))
        if not is_one_clause(line)
    ]

    assert odd == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Return whether the class overrides the method.", True),
        ("Load a class from ``module:Class``.", True),
        ("What nobody looks at is not made.", False),
        ("The clocks: a simulated one, and the machine's.", False),
        ("Mend a store; what cannot be read is moved away.", False),
    ],
)
def test_the_search_knows_clauses(line: str, *, expected: bool) -> None:
    assert is_one_clause(line) is expected
    assert list(first_lines(f'def f():\n    """{line}\n\n    More: text.\n    """')) == [(2, line)]
