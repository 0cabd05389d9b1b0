"""Fingerprints, which show whether a point was run with the same config, code and bars."""

from __future__ import annotations

import ast
import hashlib
import json
from functools import cache, lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import openbell
from openbell.results.folder.run_folder import repeatable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from openbell.config import SessionConfig

__all__ = ["fingerprint_of", "source_files"]

_DIGITS = 16


def fingerprint_of(config: SessionConfig, of_store: str) -> str:
    """Return a hash of everything that a run of a config depends on.

    It changes with the resolved config, the code of its scanners and strategies and the files beside the config that
    they import, its universes, openbell, TA-Lib, and the bars and corporate actions of the store.

    Args:
        config: The config.
        of_store: The digest of the manifest of its store.
    """
    values = repeatable(config)
    values.pop("store")
    entries = [*config.scanners, *config.strategies]
    code = {path: _digest(path) for path in source_files((c.module for c in entries), config.folder)}
    lists = [_digest(config.folder / s.universe) for s in config.scanners if isinstance(s.universe, Path)]
    known = [values, sorted(code.values()), lists, of_store, _openbell_digest(), _talib_version()]
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:_DIGITS]


def source_files(modules: Iterable[str], folder: Path) -> list[Path]:
    """Return the files of scanners and strategies, and those of the same folder or package that they import.

    Args:
        modules: References to their classes, such as "file.py:Class" or "package.module:Class".
        folder: The folder of the config.
    """
    found: dict[Path, None] = {}
    folder = folder.resolve()
    for reference in modules:
        place = reference.rpartition(":")[0]
        if place.endswith(".py"):
            _add_with_imports((folder / Path(place).expanduser()).resolve(), folder, None, found)
        elif beside := list(_files_of(place, folder)):
            _add_with_imports(beside[-1], folder, None, found)
        elif root := _root_of_installed(place):
            for path in _files_of(place, root):
                _add_with_imports(path, root, place.partition(".")[0], found)
    return list(found)


def _root_of_installed(name: str) -> Path | None:
    """Return the folder that a module is imported from, or None."""
    spec = find_spec(name.partition(".")[0])
    if spec is None or spec.origin is None:
        return None
    file = Path(spec.origin)
    return file.parent.parent if spec.submodule_search_locations else file.parent


def _add_with_imports(file: Path, root: Path, top: str | None, found: dict[Path, None]) -> None:
    """Add a file and those below a folder that it imports, only of package ``top`` unless that is None."""
    if file in found or not file.is_file() or Path(openbell.__file__).parent in file.parents:
        return
    found[file] = None
    for name in _imported(file, root):
        if top is None or name.partition(".")[0] == top:
            for path in _files_of(name, root):
                _add_with_imports(path, root, top, found)


def _imported(file: Path, root: Path) -> Iterator[str]:
    """Yield the absolute names of modules that a file may import, relative imports resolved below a root."""
    parents = file.relative_to(root).parts[:-1] if root in file.parents else ()
    for level, module, names in _imports_of(file.read_bytes()):
        above = parents[: len(parents) + 1 - level] if level else ()
        base = ".".join([*above, *filter(None, [module])])
        yield from (name for name in (base, *(f"{base}.{n}".lstrip(".") for n in names)) if name)


@lru_cache(maxsize=256)  # the points of a sweep have the same code
def _imports_of(source: bytes) -> tuple[tuple[int, str, tuple[str, ...]], ...]:
    """Return the imports of a file, each with its level, its module and the names that are imported from it."""
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError):
        return ()  # its run reports the error
    whole = [(0, alias.name, ()) for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    parts = [
        (node.level, node.module or "", tuple(alias.name for alias in node.names))
        for node in nodes
        if isinstance(node, ast.ImportFrom)
    ]
    return (*whole, *parts)


def _files_of(name: str, root: Path) -> Iterator[Path]:
    """Yield the files of a module below a folder, those of its packages first."""
    parts = name.split(".")
    for size in range(1, len(parts)):
        package = root.joinpath(*parts[:size], "__init__.py")
        if package.is_file():
            yield package
    for path in (root.joinpath(*parts).with_suffix(".py"), root.joinpath(*parts, "__init__.py")):
        if path.is_file():
            yield path


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""  # the run reports the error


@cache
def _openbell_digest() -> str:
    found = hashlib.sha256()
    for path in sorted(Path(openbell.__file__).parent.rglob("*.py")):
        found.update(path.read_bytes())
    return found.hexdigest()


@cache
def _talib_version() -> str:
    return version("TA-Lib")
