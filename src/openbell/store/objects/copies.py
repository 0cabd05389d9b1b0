"""The objects of a store, verified by their checksums, and read through copies on this machine."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from openbell.errors import DamagedFileError, DamagedObjectError, command_on
from openbell.store.checksum import sha256_of
from openbell.store.objects.naming import data_object
from openbell.store.verification import StoredFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from openbell.store.data_file import FileEntry
    from openbell.store.layout import Partition
    from openbell.store.objects.cache import FileCache
    from openbell.store.objects.object_client import Objects

__all__ = ["CopiedObjects", "fetch_verified"]

_AT_ONCE = 16
_MOST_DROPS = 2


def fetch_verified(objects: Objects, name: str, sha256: str) -> bytes:
    """Fetch an object, and return its content if its checksum fits.

    Raises:
        DamagedObjectError: It is missing, or is not what was stored.
    """
    found = objects.get(name)
    if found is None:
        raise _damaged(objects, name, "it is missing")
    if sha256_of(found.content) != sha256:
        raise _damaged(objects, name, "its content is not what was stored")
    return found.content


class CopiedObjects:
    """The objects of a store, read through a cache of copies.

    May be used from any thread.

    Args:
        objects: The objects.
        cache: The copies.
    """

    def __init__(self, objects: Objects, cache: FileCache) -> None:
        self._objects = objects
        self._cache = cache
        self._drops: dict[str, int] = {}

    def content(self, name: str, sha256: str, *, keep: bool = True) -> bytes:
        """Return the verified content of an object.

        Args:
            name: Its name.
            sha256: Its checksum.
            keep: Whether a copy is cached if there was none.

        Raises:
            DamagedObjectError: There is no copy, and it is missing or is not what was stored.
        """
        known = self._cache.read(sha256)
        if known is not None:
            return known
        content = fetch_verified(self._objects, name, sha256)
        if keep:
            self._cache.add(sha256, content)
            self._cache.shrink((sha256,))
        return content

    def stored_files(self, wanted: Iterable[tuple[Partition, FileEntry]]) -> list[StoredFile]:
        """Return the copies of data files on this machine, to which missing ones are fetched.

        Raises:
            DamagedObjectError: An object is missing, or is not what was stored.
        """
        pairs = list(wanted)
        missing = self._cache.missing(entry.sha256 for _, entry in pairs)
        if missing:
            # Files with the same content are fetched once.
            asked = {entry.sha256: (partition, entry) for partition, entry in pairs if entry.sha256 in missing}
            with ThreadPoolExecutor(min(_AT_ONCE, len(asked))) as pool:
                list(pool.map(lambda pair: self._fetch(*pair), asked.values()))
            self._cache.shrink({entry.sha256 for _, entry in pairs})
        path_of = self._cache.path_of
        return [StoredFile(path_of(entry.sha256), partition.symbol, entry) for partition, entry in pairs]

    def _fetch(self, partition: Partition, entry: FileEntry) -> None:
        self._cache.add(entry.sha256, fetch_verified(self._objects, data_object(partition, entry), entry.sha256))

    def drop_damaged_copies(self, wanted: Sequence[tuple[Partition, FileEntry]], damage: DamagedFileError) -> None:
        """Drop copies that are damaged or missing, to be fetched again, or raise the damage of the object."""
        if isinstance(damage, DamagedObjectError):
            raise damage
        bad = [entry.sha256 for _, entry in wanted if self._cache.read(entry.sha256) is None]
        if not bad or any(self._drops.get(sha256, 0) >= _MOST_DROPS for sha256 in bad):
            name = next((data_object(p, e) for p, e in wanted if damage.path.name == e.sha256), "bars")
            raise _damaged(self._objects, name, damage.cause)
        for sha256 in bad:
            self._cache.drop(sha256)
            self._drops[sha256] = self._drops.get(sha256, 0) + 1


def _damaged(objects: Objects, name: str, cause: str) -> DamagedObjectError:
    remedy = f"Take it out with `{command_on('data repair', objects.address)}`, then import its data again."
    return DamagedObjectError(str(objects.address / name), cause, remedy)
