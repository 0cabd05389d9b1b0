"""Verification that every byte of a store is as it was stored."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from openbell.errors import DamagedFileError
from openbell.maintenance.damage import Damage, VerifyReport, find_damages
from openbell.store import layout
from openbell.store.atomic_files import writer_lock
from openbell.store.batch import UnfinishedWriteError
from openbell.store.commit import heal, unfinished
from openbell.store.store_marker import require_traces

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["LOCK_WAIT_S", "verify"]

LOCK_WAIT_S = 30.0


def verify(store: Path, *, advanced: Callable[[int, int], None] | None = None) -> VerifyReport:
    """Compare every file of a store with its checksum.

    Nothing is changed, except that a killed write is finished.

    Args:
        store: The store's folder. Others may write to it meanwhile.
        advanced: Called with (files done, files in all).

    Raises:
        StoreError: The folder is not a store, or another process holds the writer's lock for more than 30 seconds.
    """
    require_traces(store)
    report = find_damages(store, advanced)
    if not report.damages and not unfinished(store):
        return report
    if not os.access(store, os.W_OK):
        return find_damages(store, None)
    # Another process may have been writing, or was killed, so the files are checked once more under the lock.
    with writer_lock(store / layout.LOCK, wait_s=LOCK_WAIT_S):
        note = None
        try:
            heal(store)
        except UnfinishedWriteError as exc:
            note = Damage("note", store / layout.PENDING, str(exc))
        except DamagedFileError:
            # The manifest is damaged, which `find_damages` reports.
            note = None
        report = find_damages(store, None)
        return replace(report, damages=(note, *report.damages)) if note else report
