"""What the tests of the source read of it: its imports and its docstrings, each file parsed once for all of them."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

Import = ast.Import | ast.ImportFrom
Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Statements:
    """The imports and the first docstring lines of a file.

    Attributes:
        at_once: What is imported when the file is.
        later: What functions import, and what only type checkers do.
        first_lines: The first line of each docstring, with its place.
    """

    at_once: list[Import] = field(default_factory=list)
    later: list[Import] = field(default_factory=list)
    first_lines: list[tuple[int, str]] = field(default_factory=list)


@cache
def statements_of(path: Path) -> Statements:
    return statements_in(path.read_text(encoding="utf-8"))


def statements_in(source: str) -> Statements:
    found = Statements()
    _look(ast.parse(source), found, later=False)
    return found


def _look(node: ast.AST, found: Statements, *, later: bool) -> None:
    if isinstance(node, Import):
        (found.later if later else found.at_once).append(node)
    elif isinstance(node, Documented) and (text := ast.get_docstring(node)):
        found.first_lines.append((node.body[0].lineno, text.partition("\n")[0]))
    later = later or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    later = later or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))
    for child in ast.iter_child_nodes(node):
        # Expressions hold no statement: nine nodes of ten need no look.
        if not isinstance(child, ast.expr):
            _look(child, found, later=later)
