"""Download of files in object storage for the time of an import."""

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

__all__ = ["as_given", "downloaded"]

_AT_ONCE = 8
_WILD = re.compile(r"[*?\[{]")
_ADDRESSES: ContextVar[dict[str, str]] = ContextVar("addresses", default={})  # noqa: B039 -- never changed in place
"""The address that each folder of downloaded files stands for."""


def as_given(text: object) -> str:
    """Return a path or text with addresses in place of folders of downloads."""
    shown = str(text)
    for folder, address in _ADDRESSES.get().items():
        shown = shown.replace(folder, address)
    return shown


@contextmanager
def downloaded(paths: Sequence[str], advanced: Callable[[int, int], None] | None = None) -> Iterator[list[Path]]:
    """Download the files under addresses into a folder, which is deleted at the end.

    Args:
        paths: Files, folders, globs and patterns, local or below an address.
        advanced: Called with (files done, files in all).

    Yields:
        The same as local paths.

    Raises:
        ConfigError: There is no such file.
        StoreError: Object storage does not answer, or refuses.
    """
    parent = cache_folder() / "imports"
    with writing_to(parent):
        parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        names: dict[str, str] = {}
        before = _ADDRESSES.set(names)
        try:
            yield [_download_all(p, Path(folder), names, advanced) if is_address(p) else Path(p) for p in paths]
        except (ConfigError, DataError) as exc:
            exc.args = tuple(as_given(arg) if isinstance(arg, str) else arg for arg in exc.args)
            raise
        finally:
            _ADDRESSES.reset(before)


def _download_all(path: str, folder: Path, names: dict[str, str], advanced: Callable[[int, int], None] | None) -> Path:
    """Download the files of one address, and return their local path or pattern."""
    from openbell.store.objects.object_client import Objects

    # A question mark is a wild card, unless it begins parameters, which are refused without being shown.
    where = place_of(path if "=" in path else path.replace("?", "*"))
    assert isinstance(where, StoreAddress)  # noqa: S101 -- `is_address` has been checked
    pattern = path.partition("://")[2].partition("/")[2].strip("/")
    bucket = StoreAddress(where.scheme, where.bucket)
    there = folder / where.scheme / where.bucket
    names[str(there)] = str(bucket)
    objects = Objects(bucket)
    wanted = list(_matching(objects, pattern))
    if not wanted:
        raise ConfigError(f"no file fits {path}.")
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for done, _ in enumerate(pool.map(lambda name: _download(objects, name, there), wanted), start=1):
            if advanced is not None:
                advanced(done, len(wanted))
    return there / pattern if pattern else there


def _matching(objects: Objects, pattern: str) -> Iterator[str]:
    """Yield the names of the objects that match a file's name, a folder or a pattern."""
    folder = pattern
    while _WILD.search(folder):
        folder = folder.rpartition("/")[0]
    # A name becomes a local path, which must not lead out of the folder.
    plain = (name for name, _ in objects.sizes(folder) if not {"", ".", ".."} & set(name.split("/")))
    if folder != pattern:
        yield from filter(pattern_of(pattern, is_path=True).fullmatch, plain)
        return
    inside = [name for name in plain if name.rpartition("/")[0] == folder]
    # Without objects below it, the pattern is the name of a file.
    yield from inside or [pattern]


def _download(objects: Objects, name: str, folder: Path) -> None:
    found = objects.get(name)
    if found is None:
        raise ConfigError(f"there is no file {objects.address / name}.")
    path = folder / name
    with writing_to(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(found.content)
