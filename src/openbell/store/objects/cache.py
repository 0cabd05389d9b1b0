"""Cache of stored files on this machine, by their checksums, up to a total size."""

from __future__ import annotations

import os
import re
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from openbell.errors import ConfigError, StoreError
from openbell.store.checksum import sha256_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

__all__ = ["FOLDER", "SIZE", "FileCache", "cache_folder", "most_bytes"]

FOLDER, SIZE = "OPENBELL_CACHE", "OPENBELL_CACHE_SIZE"
"""The environment variables with the cache's folder, and with the largest size of the cache."""

_DEFAULT_SIZE = "20 GB"
_UNITS = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_SIZE_FORM = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]B)?", re.IGNORECASE)


def cache_folder() -> Path:
    """Return the cache's folder, by the environment or else the system's folder for caches."""
    if given := os.environ.get(FOLDER):
        return Path(given).expanduser().absolute()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "openbell"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home()) / "openbell" / "cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "openbell"


def most_bytes() -> int:
    """Return the largest total size of the cache, in bytes.

    Raises:
        ConfigError: The environment variable is not a size.
    """
    given = os.environ.get(SIZE) or _DEFAULT_SIZE
    form = _SIZE_FORM.fullmatch(given.strip())
    if form is None:
        raise ConfigError(f"{SIZE}={given!r} is not a size. Write for example 500 MB or 20 GB.")
    return int(float(form[1]) * _UNITS[(form[2] or "").upper()])


class FileCache:
    """Cache of files by their checksums, from which the least recently used are deleted first.

    Many processes may share it. May be used from any thread.

    Args:
        folder: Where the copies are.
        most: The most bytes that they may have in total.
    """

    def __init__(self, folder: Path, most: int) -> None:
        self._folder = folder
        self._prefix = f"{folder}{os.sep}"
        self._most = most
        self._used: set[str] = set()
        self._lock = threading.Lock()
        self._bytes: int | None = None

    def path_of(self, sha256: str) -> str:
        """Return where the copy of a file is, if there is one."""
        return f"{self._prefix}{sha256[:2]}{os.sep}{sha256}"

    def missing(self, checksums: Iterable[str]) -> set[str]:
        """Return the checksums of which there is no copy, and mark the other copies as used."""
        found = set()
        for sha256 in checksums:
            # Not by Path, which takes twice as long.
            if not (os.path.exists(self.path_of(sha256)) if sha256 in self._used else self._touch(sha256)):  # noqa: PTH110
                found.add(sha256)
        return found

    def _touch(self, sha256: str) -> bool:
        try:
            # The time of the last use, by which copies are deleted. Once per process is enough.
            os.utime(self.path_of(sha256))
        except OSError:
            return False
        self._used.add(sha256)
        return True

    def read(self, sha256: str) -> bytes | None:
        """Return the content of a copy, or None when there is none or it is damaged.

        The copy is marked as used.
        """
        if self.missing((sha256,)):
            return None
        try:
            content = Path(self.path_of(sha256)).read_bytes()
        except OSError:
            return None
        return content if sha256_of(content) == sha256 else None

    def add(self, sha256: str, content: bytes) -> None:
        """Store a copy.

        Raises:
            StoreError: The disk is full, or the folder cannot be written.
        """
        path = Path(self.path_of(sha256))
        # A name of its own for each thread that may be writing the same file at the same time.
        temporary = path.with_name(f".{sha256}.{os.getpid()}-{threading.get_ident()}.tmp")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(content)
            temporary.replace(path)
        except OSError as exc:
            with suppress(OSError):
                temporary.unlink()
            raise StoreError(
                f"cannot write to the cache {self._folder}: {exc.strerror or exc}. Make room, or name another folder "
                f"in the environment variable {FOLDER}."
            ) from exc
        self._used.add(sha256)
        with self._lock:
            if self._bytes is not None:
                self._bytes += len(content)

    def drop(self, sha256: str) -> None:
        """Delete a copy."""
        Path(self.path_of(sha256)).unlink(missing_ok=True)

    def shrink(self, keep: Collection[str]) -> None:
        """Delete the least recently used copies until the total size is allowed.

        Args:
            keep: The checksums of copies that stay, because they are about to be read.
        """
        with self._lock:
            if self._bytes is not None and self._bytes <= self._most:
                return
            found = sorted(self._copies(), reverse=True)
            self._bytes = sum(size for _, size, _ in found)
            while self._bytes > self._most and found:
                _, size, path = found.pop()
                if path.name not in keep:
                    path.unlink(missing_ok=True)
                    self._bytes -= size

    def _copies(self) -> Iterable[tuple[int, int, Path]]:
        """Yield when each copy was used last, its size, and where it is."""
        for path in self._folder.glob("*/[!.]*"):
            with suppress(OSError):
                stat = path.stat()
                yield stat.st_mtime_ns, stat.st_size, path
