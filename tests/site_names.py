"""Search for the classes that a user of the public names can get hold of, by what their members return."""

from __future__ import annotations

import ast
import importlib
import inspect
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, get_args

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

CALLED_BY_THE_ENGINE = ("Strategy", "Scanner", "SessionObserver", "Step", "Feed")
"""Classes whose methods receive what the engine passes, so that arguments count as well."""


def reachable(names: Iterable[str], ends: Container[str] = ()) -> set[str]:
    """The dotted names of classes, those given included, that follow from each other; nothing follows from ends."""
    found: set[str] = set()
    left = list(names)
    while left:
        name = left.pop()
        if name in found:
            continue
        found.add(name)
        if name in ends:
            continue
        module, _, cls = name.rpartition(".")
        left += _returned(module, cls)
    return found


def home_of(item: object) -> str:
    """The dotted name of a class or function by the module that defines it."""
    return f"{item.__module__}.{item.__qualname__}"  # type: ignore[attr-defined]


def _returned(module: str, name: str) -> Iterator[str]:
    tree, imports = _parsed(module)
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            for base in node.bases:
                yield from _public(base, imports)
            for member in node.body:
                for annotation in _annotations(member, arguments=name in CALLED_BY_THE_ENGINE):
                    yield from _public(annotation, imports)
        elif isinstance(node, ast.FunctionDef) and node.name == name and node.returns is not None:
            yield from _public(node.returns, imports)


def _annotations(member: ast.stmt, *, arguments: bool) -> Iterator[ast.expr]:
    if isinstance(member, ast.AnnAssign) and isinstance(member.target, ast.Name):
        if not member.target.id.startswith("_"):
            yield member.annotation
    elif isinstance(member, ast.FunctionDef) and member.name == "__init__":
        yield from _attributes(member)
    elif isinstance(member, ast.FunctionDef) and not member.name.startswith("_"):
        if member.returns is not None:
            yield member.returns
        if arguments:
            yield from (argument.annotation for argument in member.args.args if argument.annotation is not None)


def _attributes(made: ast.FunctionDef) -> Iterator[ast.expr]:
    """Yield the types of public attributes that `__init__` sets: as written there, or as those of its arguments."""
    arguments = {argument.arg: argument.annotation for argument in (*made.args.args, *made.args.kwonlyargs)}
    for node in ast.walk(made):
        target = (
            node.target
            if isinstance(node, ast.AnnAssign)
            else node.targets[0]
            if isinstance(node, ast.Assign)
            else None
        )
        if not isinstance(target, ast.Attribute) or target.attr.startswith("_"):
            continue
        if isinstance(node, ast.AnnAssign):
            yield node.annotation
        elif isinstance(node.value, ast.Call):
            yield node.value.func
        elif isinstance(node.value, ast.Name) and (annotation := arguments.get(node.value.id)) is not None:
            yield annotation


def _public(annotation: ast.expr, imports: dict[str, str]) -> Iterator[str]:
    text = annotation.value if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str) else None
    root = annotation if text is None else ast.parse(text, mode="eval").body
    for node in ast.walk(root):
        if isinstance(node, ast.Name) and node.id in imports and not node.id.startswith("_"):
            module = imports[node.id]
            item = getattr(importlib.import_module(module), node.id, None)
            named = item if inspect.isclass(item) else next(iter(get_args(item)), None)  # Annotated, under a name
            if inspect.isclass(named) and named.__module__.startswith("openbell."):
                yield home_of(named)


@cache
def _parsed(module: str) -> tuple[ast.Module, dict[str, str]]:
    file = importlib.import_module(module).__file__
    assert file is not None
    tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    imports = {
        alias.asname or alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("openbell")
        for alias in node.names
    }
    imports |= {node.name: module for node in tree.body if isinstance(node, ast.ClassDef)}
    return tree, imports
