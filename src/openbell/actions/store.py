"""The corporate actions of a store in one Parquet file, written whole or not at all.

The file is ``<store>/actions/actions.parquet`` with the columns of `ACTION_SCHEMA`, sorted, one row for each symbol,
ex-date and type. It holds its own checksum (`openbell.store.checksum`), so that it is verified without the manifest.
"""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING

import polars as pl

from openbell.actions.book import ActionBook
from openbell.actions.table import ACTION_SCHEMA, KEY
from openbell.errors import DamagedFileError
from openbell.store import layout
from openbell.store.atomic_files import replace_file, sync_folders, writer_lock
from openbell.store.checksum import BLANK_CHECKSUM, has_own_checksum, with_own_checksum
from openbell.store.writer import WriteReport

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ActionStore"]

_FOLDER, _FILE = "actions", "actions.parquet"
_WAIT_S = 30.0


class ActionStore:
    """The actions beside the bars of a store. May be used from any thread.

    Args:
        store: The store's folder.
    """

    def __init__(self, store: Path) -> None:
        self.path = store / _FOLDER / _FILE
        self._lock = threading.Lock()
        self._read_at: tuple[int, ...] | None = None
        self._book = ActionBook(ACTION_SCHEMA.to_frame())

    @property
    def version(self) -> tuple[int, ...]:
        """The stamp of the file, which changes with the actions, by whatever process; empty when there are none."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return ()
        return found.st_mtime_ns, found.st_ino, found.st_size

    def book(self) -> ActionBook:
        """Return all actions as of now.

        Raises:
            DamagedFileError: The file cannot be read, or is not what was stored.
        """
        with self._lock:
            # The stamp first: should the file change in between, the next comparison finds it.
            version = self.version
            if version != self._read_at:
                self._book = ActionBook(self.read())
                self._read_at = version
            return self._book

    def read(self) -> pl.DataFrame:
        """Read all actions, sorted by symbol, ex-date and type.

        Raises:
            DamagedFileError: As for `book`.
        """
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return ACTION_SCHEMA.to_frame()
        if not has_own_checksum(content):
            raise DamagedFileError(self.path, "its content is not what was stored")
        try:
            return pl.read_parquet(io.BytesIO(content)).select(*ACTION_SCHEMA)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as exc:
            raise DamagedFileError(self.path, str(exc)) from exc

    def write(self, actions: pl.DataFrame) -> WriteReport:
        """Add actions, each in the place of one of the same symbol, ex-date and type.

        Call it without holding the store's `BarStore.writer`.

        Args:
            actions: Good rows as `check_actions` returns them.

        Returns:
            The numbers of actions added, revised and unchanged; they are on disk.

        Raises:
            DamagedFileError: What is there cannot be read.
            StoreError: Another process is writing.
        """
        if actions.is_empty():
            return WriteReport()
        store = self.path.parent.parent
        with writer_lock(store / layout.LOCK, wait_s=_WAIT_S):
            before = self.read()
            both = actions.join(before, on=KEY, how="inner", suffix="_before")
            values = [name for name in ACTION_SCHEMA if name not in KEY]
            changed = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_before")) for name in values)
            revised = both.filter(changed).height
            report = WriteReport(actions.height - both.height, revised, both.height - revised)
            if report.added or report.revised:
                merged = pl.concat([before.join(actions, on=KEY, how="anti"), actions.select(*ACTION_SCHEMA)]).sort(KEY)
                buffer = io.BytesIO()
                merged.write_parquet(buffer, metadata=BLANK_CHECKSUM)
                self.path.parent.mkdir(exist_ok=True)
                replace_file(self.path, with_own_checksum(buffer.getvalue()))
                sync_folders([self.path.parent, store])
        return report
