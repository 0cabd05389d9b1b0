"""Files to be imported that lie in object storage, brought to this machine for the time of the import."""

from __future__ import annotations

import re
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

from openbell.errors import ConfigError, DataError
from openbell.importers.files.disk_errors import writing_to
from openbell.importers.files.file_pattern import pattern_of
from openbell.model.address import StoreAddress, is_address, place_of
from openbell.store.objects.cache import cache_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from openbell.store.objects.object_client import Objects

__all__ = ["as_given", "brought"]

_AT_ONCE = 8
_WILD = re.compile(r"[*?\[{]")
_BROUGHT: ContextVar[dict[str, str]] = ContextVar("brought", default={})  # noqa: B039 -- it is never changed in place
"""The folders of files that were brought, each with the address that it stands for."""


def as_given(text: object) -> str:
    """Return a path, or a text with paths in it, as the person who imports knows them."""
    shown = str(text)
    for folder, address in _BROUGHT.get().items():
        shown = shown.replace(folder, address)
    return shown


@contextmanager
def brought(paths: Sequence[str], advanced: Callable[[int, int], None] | None = None) -> Iterator[list[Path]]:
    """Bring the files that addresses mean into a folder, which is deleted at the end.

    Args:
        paths: Files, folders, globs and patterns, as a command takes them, and such below an address.
        advanced: Called with (files done, files in all).

    Returns:
        The same as paths of this machine.

    Raises:
        ConfigError: There is no such file.
        StoreError: There is no answer, or the server refuses.
    """
    parent = cache_folder() / "imports"
    with writing_to(parent):
        parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        names: dict[str, str] = {}
        before = _BROUGHT.set(names)
        try:
            yield [_brought(path, Path(folder), names, advanced) if is_address(path) else Path(path) for path in paths]
        except (ConfigError, DataError) as exc:
            exc.args = tuple(as_given(arg) if isinstance(arg, str) else arg for arg in exc.args)
            raise
        finally:
            _BROUGHT.reset(before)


def _brought(path: str, folder: Path, names: dict[str, str], advanced: Callable[[int, int], None] | None) -> Path:
    """Bring the files of one address, and return where they are."""
    from openbell.store.objects.object_client import Objects

    # A question mark is a wild card here, unless it begins parameters, which are refused without being shown.
    where = place_of(path if "=" in path else path.replace("?", "*"))
    assert isinstance(where, StoreAddress)  # noqa: S101 -- it has the mark of one
    pattern = path.partition("://")[2].partition("/")[2].strip("/")
    bucket = StoreAddress(where.scheme, where.bucket)
    there = folder / where.scheme / where.bucket
    names[str(there)] = str(bucket)
    objects = Objects(bucket)
    wanted = list(_meant(objects, pattern))
    if not wanted:
        raise ConfigError(f"no file fits {path}.")
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for done, _ in enumerate(pool.map(lambda name: _bring(objects, name, there), wanted), start=1):
            if advanced is not None:
                advanced(done, len(wanted))
    return there / pattern if pattern else there


def _meant(objects: Objects, pattern: str) -> Iterator[str]:
    """Yield the objects that a file's name, a folder or a pattern means."""
    folder = pattern
    while _WILD.search(folder):
        folder = folder.rpartition("/")[0]
    # A name is a path here, and may not lead elsewhere.
    plain = (name for name, _ in objects.sizes(folder) if not {"", ".", ".."} & set(name.split("/")))
    if folder != pattern:
        yield from filter(pattern_of(pattern, is_path=True).fullmatch, plain)
        return
    inside = [name for name in plain if name.rpartition("/")[0] == folder]
    # What has nothing below it is a file.
    yield from inside or [pattern]


def _bring(objects: Objects, name: str, folder: Path) -> None:
    found = objects.get(name)
    if found is None:
        raise ConfigError(f"there is no file {objects.address / name}.")
    path = folder / name
    with writing_to(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(found.content)
