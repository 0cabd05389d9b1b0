"""The current manifest of a store in object storage, and its exchange for another one."""

from __future__ import annotations

import io
import json
import re
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import polars as pl

from openbell.errors import DamagedObjectError, NotAStoreError, StoreError, UnansweredError, command_on
from openbell.store.atomic_files import replace_file
from openbell.store.checksum import has_own_checksum
from openbell.store.layout import MANIFEST
from openbell.store.manifest import Manifest, decode_manifest
from openbell.store.manifest_changes import damaged_manifest
from openbell.store.objects.object_client import UNCHANGED, Fetched, Tag
from openbell.timing.clock import stopwatch

if TYPE_CHECKING:
    from pathlib import Path

    from openbell.store.objects.object_client import Objects

__all__ = ["CurrentObjectManifest"]

_FRESH_S = 1.0
"""For how many seconds a manifest counts as current: a session needs it often, and each look goes over the network."""
_MOST_COMMITS = 64
_VERSION, _COMMITS, _SWEPT = "openbell_objects", "openbell_commits", "openbell_swept"
_KNOWN_VERSION = "1"
_CHECKSUM, _MARK = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{16}")


class CurrentObjectManifest:
    """Current manifest of a store in object storage, looked up again after a second.

    May be used from any thread. A copy is kept on this machine, so that an unchanged manifest is not downloaded again.

    Args:
        objects: The objects of the store.
        copy: The file of the copy.

    Attributes:
        swept: A value that changes when objects that the manifest does not list are deleted.
    """

    def __init__(self, objects: Objects, copy: Path) -> None:
        self._objects = objects
        self._copy = copy
        self._lock = threading.RLock()
        self._forget()

    def _forget(self) -> None:
        self._manifest: Manifest | None = None
        self._tag: Tag | None = None
        self._stamp: tuple[int, ...] = ()
        self._commits: list[str] = []
        self.swept = ""
        self._was_seen = False
        self._since_look = stopwatch()

    @property
    def stamp(self) -> tuple[int, ...]:
        """The stamp of the manifest when it was last read (empty when there was none)."""
        return self._stamp

    @property
    def is_there(self) -> bool:
        """Whether there was a manifest at the last look."""
        return self._tag is not None

    def exists_now(self) -> bool:
        """Look the manifest up without use of what is known, and return whether there is one."""
        with self._lock:
            self._forget()
            self.reload()
            return self.is_there

    def get(self) -> Manifest:
        """Return the manifest as of now or at most a second ago."""
        known = self._manifest
        return known if known is not None and self._since_look.seconds < _FRESH_S else self.reload()

    def stamp_now(self) -> tuple[int, ...]:
        """Return a value that changes when the manifest does (empty when there is none)."""
        self.get()
        return self._stamp

    def may_have_moved(self, stamp: tuple[int, ...], *, look: bool) -> bool:
        """Return whether the manifest has changed since it had a stamp, as of now with ``look``."""
        if look:
            self.reload()
        return stamp != self.stamp_now()

    def settle(self, wait_s: float = 0) -> None:
        """Do nothing, since a killed writer leaves the manifest as it was."""

    def for_writer(self) -> Manifest:
        """Return the manifest as it is now."""
        return self.reload()

    def note_written(self, manifest: Manifest) -> None:
        """Do nothing, since the commit has noted the manifest already."""

    def reload(self) -> Manifest:
        """Return the manifest as it is now.

        Raises:
            DamagedObjectError: The manifest is lost, or is not what was stored.
            StoreError: The manifest cannot be read.
        """
        with self._lock:
            if self._manifest is None:
                self._read_copy()
            found = self._objects.get(MANIFEST, known=self._tag)
            self._since_look = stopwatch()
            if found is None:
                if self._was_seen:
                    self._raise_lost()
                self._forget()
                self._manifest = Manifest({}, {})
                return self._manifest
            if found is not UNCHANGED:
                self._accept(found)
                self._keep_copy(found)
            self._was_seen = True
            assert self._manifest is not None  # noqa: S101 -- there is no answer without one
            return self._manifest

    def exchange(self, before: Manifest, after: Manifest, commit: str, *, swept: str | None = None) -> bool:
        """Replace the manifest that was read by another one, unless another writer has replaced it.

        Args:
            before: The manifest that was read.
            after: The new one.
            commit: A unique name of the commit, which stays the same for its retries.
            swept: See the attributes; None leaves it.

        Returns:
            Whether the new manifest is in place. If not, that of another writer is, and was read.

        Raises:
            UnansweredError: It is not known whether the new manifest is in place.
            StoreError: The manifest cannot be written.
        """
        with self._lock:
            if self._manifest is not before:
                return commit in self._commits
            commits = [*self._commits, commit][-_MOST_COMMITS:]
            notes = {_VERSION: _KNOWN_VERSION, _COMMITS: json.dumps(commits), _SWEPT: swept or self.swept}
            content = after.encode(of_objects=notes)
            try:
                tag = (
                    self._objects.put_if_absent(MANIFEST, content)
                    if self._tag is None
                    else self._objects.replace_if_same(MANIFEST, content, self._tag)
                )
                if tag is not None:
                    self._accept(Fetched(content, tag))
                    self._keep_copy(Fetched(content, tag))
                    self._was_seen = True
                    return True
            except UnansweredError:
                # The request may have been carried out, and only its answer lost.
                self._reload_or_explain()
                if commit not in self._commits:
                    raise
                return True
            # A retry is refused if the first request was carried out after all.
            self._reload_or_explain()
            return commit in self._commits

    def _reload_or_explain(self) -> None:
        try:
            self.reload()
        except UnansweredError as exc:
            raise UnansweredError(
                f"{exc} Whether the last bars were stored is not known: store them again; bars already stored are kept."
            ) from None

    def _accept(self, found: Fetched) -> None:
        address, path = self._objects.address, self._objects.address / MANIFEST
        if not has_own_checksum(found.content):
            raise damaged_manifest(address, path, "its checksum does not fit")
        notes = pl.read_parquet_metadata(io.BytesIO(found.content))
        if (version := notes.get(_VERSION)) != _KNOWN_VERSION:
            raise StoreError(
                f"{address} was written by a newer openbell ({version}). Upgrade openbell."
                if version
                else f"{address} holds files of a store's folder as they are. Copy a store with: "
                "openbell data cp FOLDER ADDRESS"
            )
        base = decode_manifest(address, path, found.content, ())
        named = [(entry.sha256, entry.object) for _, entry in base.manifest.partitions()]
        named += [(entry.sha256, entry.object) for entry in base.manifest.side_files.values()]
        if not all(_is_named(*names) for names in named):
            raise damaged_manifest(address, path, "it names files that no store has")
        self._manifest, self._tag = base.manifest, found.tag
        self._commits, self.swept = json.loads(notes[_COMMITS]), notes[_SWEPT]
        self._stamp = (int(base.checksum[:15], 16),)
        self._since_look = stopwatch()

    def _keep_copy(self, found: Fetched) -> None:
        with suppress(OSError):
            # Without the copy, the next process downloads the manifest.
            self._copy.parent.mkdir(parents=True, exist_ok=True)
            replace_file(self._copy, json.dumps(found.tag).encode() + b"\n" + found.content)

    def _read_copy(self) -> None:
        with suppress(OSError, ValueError, TypeError, StoreError, DamagedObjectError):
            tag, _, content = self._copy.read_bytes().partition(b"\n")
            if has_own_checksum(content):
                self._accept(Fetched(content, Tag(*json.loads(tag))))

    def _raise_lost(self) -> None:
        address = self._objects.address
        self._forget()
        self._copy.unlink(missing_ok=True)
        raise damaged_manifest(address, address / MANIFEST, "it is missing")

    def require(self) -> None:
        """Raise an error unless there is a store at the address.

        Raises:
            NotAStoreError: There is none.
        """
        if not self.exists_now():
            address = self._objects.address
            raise NotAStoreError(
                f"{address} is not an openbell store (there is no {MANIFEST}). Import bars into it first, for example "
                f"with `{command_on('data import csv FILES', address)}`."
            )


def _is_named(sha256: str, mark: str) -> bool:
    """Return whether a checksum and a mark have the form by which copies and objects are named."""
    # A manifest that somebody else wrote might name files outside of the cache.
    return _CHECKSUM.fullmatch(sha256) is not None and _MARK.fullmatch(mark) is not None
