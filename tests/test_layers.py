"""Imports run downward only: a module may know what stands above it in this file's list, and nothing below."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = Path(__file__).resolve().parents[1] / "src" / "openbell"

LAYERS = (
    *("errors", "registry", "logs"),
    "model",
    "config",
    "timing",
    "indicators",
    "store",
    "actions",
    "market_data",
    "importers",
    "vendors",
    "maintenance",
    "quality",
    "session",
    "provisioning",
    "components",
    "results",
    "engine",
    "examples",
    "demo",
    "testing",
    "cli",
)
"""The rooms of openbell and the files in its root; each may import those before it."""


def imports_of(tree: ast.AST) -> Iterator[str]:
    """The first name below ``openbell`` of everything that a module imports from it, inside functions, too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports are not used"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name.split(".")[1] for name in names if name.startswith("openbell."))


def arrows() -> Iterator[tuple[str, str, str]]:
    """Each import of one part of openbell by another: the file, its part, the imported part."""
    for path in sorted(SOURCE.rglob("*.py")):
        part = path.relative_to(SOURCE).parts[0].removesuffix(".py")
        if part != "__init__":
            for imported in imports_of(ast.parse(path.read_text(encoding="utf-8"))):
                if imported != part:
                    yield str(path.relative_to(SOURCE)), part, imported


def wrong(part: str, imported: str) -> bool:
    return LAYERS.index(imported) > LAYERS.index(part)


def test_every_part_has_its_layer() -> None:
    parts = {p.name.removesuffix(".py") for p in SOURCE.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}

    assert parts - {"__init__"} == set(LAYERS)


def test_arrows_run_downward_only() -> None:
    assert [f"{path} imports {imported}" for path, part, imported in arrows() if wrong(part, imported)] == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import openbell.store.store", ["store"]),
        ("from openbell import indicators, errors", ["indicators", "errors"]),
        ("from openbell.timing.grid import SessionGrid", ["timing"]),
        ("def f():\n    from openbell.cli import app", ["cli"]),
        ("import polars\nfrom pathlib import Path", []),
    ],
)
def test_the_search_finds_every_import(source: str, found: list[str]) -> None:
    assert list(imports_of(ast.parse(source))) == found


def test_an_upward_arrow_would_be_found() -> None:
    assert wrong("session", "provisioning")
    assert wrong("store", "market_data")
    assert not wrong("provisioning", "session")
