"""Imports run downward only: a module may know what stands above it in this file's list, and nothing below."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from source_statements import statements_in, statements_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from source_statements import Statements

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
    "feeds",
    "brokers",
    "maintenance",
    "quality",
    "session",
    "provisioning",
    "compat",
    "execution",
    "components",
    "results",
    "engine",
    "live",
    "inspection",
    "sweeps",
    "pages",
    "view",
    "examples",
    "demo",
    "testing",
    "cli",
    "__main__",
)
"""The rooms of openbell and the files in its root; each may import those before it."""


def imports_of(statements: Statements) -> Iterator[str]:
    """The first name below ``openbell`` of everything that a module imports from it, inside functions, too."""
    for node in (*statements.at_once, *statements.later):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            assert node.level == 0, "relative imports are not used"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        yield from (name.split(".")[1] for name in names if name.startswith("openbell."))


def arrows() -> Iterator[tuple[str, str, str]]:
    """Each import of one part of openbell by another: the file, its part, the imported part."""
    for path in sorted(SOURCE.rglob("*.py")):
        part = path.relative_to(SOURCE).parts[0].removesuffix(".py")
        if part != "__init__":
            for imported in imports_of(statements_of(path)):
                if imported != part:
                    yield str(path.relative_to(SOURCE)), part, imported


def modules_imported(path: Path) -> set[str]:
    """The modules of openbell that a file imports when it is imported itself."""
    found = {
        name
        for node in statements_of(path).at_once
        if isinstance(node, ast.ImportFrom) and node.module
        for name in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))
    }
    return found & MODULES - {module_of(path)}


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_of(path) for path in SOURCE.rglob("*.py")}


def wrong(part: str, imported: str) -> bool:
    return LAYERS.index(imported) > LAYERS.index(part)


def test_no_files_import_each_other_in_a_circle() -> None:
    imported = {module_of(path): modules_imported(path) for path in SOURCE.rglob("*.py")}
    # `from a.b import c` with a module c names the package a.b as well, whose own imports are no circle with c.
    packages = {module_of(path.parent / "__init__.py") for path in SOURCE.rglob("__init__.py")}
    graph = {
        module: {name for name in names if name not in packages or not module.startswith(f"{name}.")}
        for module, names in imported.items()
    }

    assert list(TopologicalSorter(graph).static_order()), "a circle raises CycleError with its files"


def test_the_search_for_circles_sees_what_is_imported_at_once_and_no_more() -> None:
    found = modules_imported(SOURCE / "cli" / "app.py")

    assert "openbell.cli.terminal.console" in found
    assert "openbell.logs" not in found, "a function imports it"


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
    assert list(imports_of(statements_in(source))) == found


def test_an_upward_arrow_would_be_found() -> None:
    assert wrong("session", "provisioning")
    assert wrong("store", "market_data")
    assert not wrong("provisioning", "session")
