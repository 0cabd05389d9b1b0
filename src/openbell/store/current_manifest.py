"""The manifest of a store as it is on disk now, read again only when it has changed."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from openbell.errors import DamagedFileError, StoreError, command_on
from openbell.logs import get_logger
from openbell.store import layout
from openbell.store.atomic_files import stamp_of, writer_lock
from openbell.store.batch import UnfinishedWriteError
from openbell.store.commit import commit_manifest, heal, load_or_scan, unfinished

if TYPE_CHECKING:
    from pathlib import Path

    from openbell.store.manifest import Manifest

__all__ = ["CurrentManifest"]

_POLL_S = 0.05


class CurrentManifest:
    """The manifest of a store, read anew whenever the file changes. May be used from any thread.

    Args:
        store: The store's folder.

    Raises:
        DamagedFileError: The manifest cannot be read.
    """

    def __init__(self, store: Path) -> None:
        self._store = store
        self._paths = str(store / layout.MANIFEST), str(store / layout.CHANGES)
        self._pending = str(store / layout.PENDING)
        self._lock = threading.Lock()
        self._stamp: tuple[int, ...] = ()
        self._manifest: Manifest | None = None
        self.reload()

    @property
    def stamp(self) -> tuple[int, ...]:
        """The file's stamp when it was last read, or nothing."""
        return self._stamp

    def get(self) -> Manifest:
        """Return the manifest as it is on disk now."""
        # One look at the file's stamp when it has not changed.
        stamp, known = self.stamp_now(), self._manifest
        return known if known is not None and stamp and stamp == self._stamp else self.reload()

    def stamp_now(self) -> tuple[int, ...]:
        """Return a value that changes when the file or its changes do, or nothing when there is none."""
        manifest, changes = map(stamp_of, self._paths)
        return manifest + changes if manifest else ()

    def may_have_moved(self, stamp: tuple[int, ...], *, look: bool) -> bool:  # noqa: ARG002 -- a look costs little
        """Return whether files may be others than when the manifest had a stamp."""
        return os.path.exists(self._pending) or stamp != self.stamp_now()  # noqa: PTH110 -- Path takes twice as long

    def reload(self) -> Manifest:
        """Read the manifest, after healing what a killed writer left."""
        with self._lock:
            self.settle()
            # The stamp first: should the file change in between, the next look sees it.
            stamp = self.stamp_now()
            self._manifest, self._stamp = self._read(), stamp
            return self._manifest

    def wrote(self, manifest: Manifest) -> None:
        """Take up what a write has put in place, of which the next look reads only what is another by then."""
        with self._lock:
            self._manifest = manifest

    def for_writer(self) -> Manifest:
        """Return the manifest after healing what a killed writer left, for whoever holds the lock."""
        if unfinished(self._store):
            heal(self._store)
        manifest = self.get()
        if manifest.files and not (self._store / layout.MANIFEST).exists():
            commit_manifest(self._store, manifest)
        return manifest

    def settle(self, wait_s: float = 0) -> None:
        """Finish what a killed writer began.

        One that is alive has ``wait_s`` seconds to finish by itself.
        """
        for _ in range(int(wait_s / _POLL_S) + 1):
            if not unfinished(self._store):
                return
            try:
                with writer_lock(self._store / layout.LOCK, wait_s=min(wait_s, _POLL_S)):
                    heal(self._store)
                    return
            except (UnfinishedWriteError, DamagedFileError) as exc:
                # What was stored before can be read; the next write is refused.
                get_logger().warning("a killed write cannot be finished", store=str(self._store), reason=str(exc))
                return
            except StoreError:
                # Its writer is alive, or we may only read: what is in the manifest holds.
                if not (self._store / layout.PENDING).exists() or not os.access(self._store, os.W_OK):
                    return

    def _read(self) -> Manifest:
        manifest = load_or_scan(self._store, self._manifest)
        if manifest.files and not (self._store / layout.MANIFEST).exists():
            remedy = command_on("data verify", self._store)
            get_logger().warning("the manifest is missing; the files that are there are taken as they are", look=remedy)
        return manifest
