"""Import of users' classes by ``module:Class`` or ``file.py:Class``."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from contextlib import contextmanager
from importlib.machinery import PathFinder, SourceFileLoader
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard, TypeVar

import openbell
from openbell.errors import ConfigError, UnknownNameError, did_you_mean
from openbell.logs import settle_logs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType, ModuleType

__all__ = ["load_class"]

T = TypeVar("T")

_MOVED = {
    "openbell.strategies.ema_cross": "openbell.examples.ema_cross",
    "openbell.scanners.gap": "openbell.examples.gap",
}
"""Modules of openbell that configs name, and their new names."""

_config_folders: set[str] = set()
"""The folders from which modules have been imported."""


def load_class(reference: str, base: type[T], folder: Path) -> type[T]:
    """Import the class that a config names.

    While its module is imported, ``folder`` is the first on the import path. A file is imported again only when
    it has changed.

    Args:
        reference: "package.module:Class" or "file.py:Class", the file relative to ``folder``.
        base: What the class must derive from.
        folder: The folder of the config file.

    Raises:
        ConfigError: There is no such file, module or class, importing it fails, or the class does not derive from
            ``base`` or is abstract.
    """
    place, _, name = reference.rpartition(":")
    if place in _MOVED:
        raise ConfigError(f"{reference} has moved. Write {_MOVED[place]}:{name}.")
    with _importable(folder):
        module = _import_file(place, folder) if place.endswith(".py") else _import_module(place, folder)
    settle_logs()
    if not hasattr(module, name):
        known = [key for key, item in vars(module).items() if _derives(item, base)]
        raise UnknownNameError("class", name, known, where=place)
    found = getattr(module, name)
    if not _derives(found, base):
        kind = base.__name__
        home = "openbell" if kind in openbell.__all__ else base.__module__
        raise ConfigError(f"{reference} is not a {kind.lower()}. Derive the class from {home}.{kind}.")
    if missing := sorted(getattr(found, "__abstractmethods__", ())):
        raise ConfigError(f"{reference} is not complete: it must define {', '.join(missing)}")
    return found


def _derives(item: object, base: type[T]) -> TypeGuard[type[T]]:
    return isinstance(item, type) and issubclass(item, base) and item is not base


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Put a folder first on the import path."""
    entry = str(folder.resolve())
    _config_folders.add(entry)
    sys.path.insert(0, entry)
    try:
        yield
    finally:
        sys.path.remove(entry)


class _UncachedLoader(SourceFileLoader):
    """A loader that compiles a file at each import."""

    # Python's own loader takes stored bytecode of the same file size and time in whole seconds, and so misses an edit
    # of a single figure within a second.
    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002  the name is Python's
        return self.source_to_code(self.get_data(self.path), self.path)


def _import_file(place: str, folder: Path) -> ModuleType:
    path = (folder / Path(place).expanduser()).resolve()
    try:
        content = path.read_bytes()
    except OSError:
        near = did_you_mean(path.name, [p.name for p in path.parent.glob("*.py")])
        raise ConfigError(f"the file {path} is not there or cannot be read.{near}") from None
    # The hash is another one for files of the same name in other folders, and for a file that was edited.
    name = f"{path.stem}_{hashlib.sha256(str(path).encode() + content).hexdigest()[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    _forget_namesakes(folder)
    spec = importlib.util.spec_from_file_location(name, path, loader=_UncachedLoader(name, str(path)))
    if spec is None or spec.loader is None:
        raise ConfigError(f"the file {path} cannot be imported")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        del sys.modules[name]
        raise _import_error(place, error) from error
    return module


def _import_module(name: str, folder: Path) -> ModuleType:
    _forget_namesake(name.partition(".")[0], folder)
    importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise _import_error(name, error) from error
        near = did_you_mean(name, [p.stem for p in folder.glob("*.py")])
        raise ConfigError(
            f"there is no module {error.name!r}, neither in {folder} nor installed.{near} "
            'A file is written with its suffix: "file.py:Class".'
        ) from None
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise _import_error(name, error) from error


def _forget_namesake(top: str, folder: Path) -> None:
    """Forget a loaded module when the folder holds another one of that name."""
    here = PathFinder.find_spec(top, [str(folder.resolve())])
    loaded = sys.modules.get(top)
    if here is None or here.origin is None or loaded is None or getattr(loaded, "__file__", None) == here.origin:
        return
    for name in [n for n in sys.modules if n == top or n.startswith(f"{top}.")]:
        del sys.modules[name]


def _forget_namesakes(folder: Path) -> None:
    """Forget all namesakes from configs' folders, because what a file will import is not known."""
    importlib.invalidate_caches()
    for top, module in [
        (name, module) for name, module in sys.modules.items() if "." not in name and name != "__main__"
    ]:
        origin = getattr(module, "__file__", None)
        if origin and not _config_folders.isdisjoint(map(str, Path(origin).parents[:2])):
            _forget_namesake(top, folder)


def _import_error(place: str, error: BaseException) -> ConfigError:
    """Return the error to raise, with the innermost line of the user's code that failed."""
    line = None
    trace = error.__traceback__
    while trace is not None:
        if "importlib" not in trace.tb_frame.f_code.co_filename and trace.tb_frame.f_code.co_filename != __file__:
            line = f"{trace.tb_frame.f_code.co_filename}, line {trace.tb_lineno}: "
        trace = trace.tb_next
    return ConfigError(f"{place} cannot be imported: {line or ''}{type(error).__name__}: {error}")
