"""First lines of docstrings are one clause that begins with a verb or a noun."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from source_statements import statements_in, statements_of

SOURCE = Path(__file__).resolve().parents[1] / "src" / "openbell"

RELATIVE = ("What", "Who", "Whoever", "Where", "When", "Which", "How", "Those")


def is_one_clause(line: str) -> bool:
    return not re.search(r"[;:](\s|$)", line) and line.partition(" ")[0] not in RELATIVE


def test_a_first_line_is_one_clause() -> None:
    odd = [
        f"{path.relative_to(SOURCE)}:{place}: {line}"
        for path in sorted(SOURCE.rglob("*.py"))
        for place, line in statements_of(path).first_lines
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
    assert statements_in(f'def f():\n    """{line}\n\n    More: text.\n    """').first_lines == [(2, line)]
