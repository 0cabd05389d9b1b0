"""A table that a store keeps beside its bars, in one Parquet file that carries its own checksum."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import polars as pl

from openbell.store import layout
from openbell.store.atomic_files import writer_lock
from openbell.store.checksum import BLANK_CHECKSUM, has_own_checksum, with_own_checksum
from openbell.store.commit import commit, heal
from openbell.store.data_file import damaged_file
from openbell.store.manifest import load_side_files
from openbell.store.store_marker import make_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from openbell.errors import DamagedFileError

__all__ = ["SideTable"]

_WAIT_S = 30.0


class SideTable:
    """A table beside the bars of a store, written whole or not at all.

    Args:
        store: The store's folder.
        name: The file, one of `SIDE_FILES`.
        schema: The columns.
        remedy: What to do when the file is damaged; None: what the error says of itself.

    Attributes:
        path: The file.
    """

    def __init__(self, store: Path, name: str, schema: pl.Schema, remedy: str | None = None) -> None:
        self.path = store / name
        self._store = store
        self._name = name
        self._schema = schema
        self._remedy = remedy

    def read(self) -> pl.DataFrame:
        """Return the table.

        It is empty when the store has none.

        Raises:
            DamagedFileError: The file is lost, cannot be read, or is not what was stored.
        """
        try:
            content = self.path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            if self._name in load_side_files(self._store):
                raise self._damaged("it is missing") from None
            return self._schema.to_frame()
        except OSError as exc:
            raise self._damaged(exc.strerror or str(exc)) from exc
        if not has_own_checksum(content):
            raise self._damaged("its content is not what was stored")
        try:
            return pl.read_parquet(io.BytesIO(content)).select(*self._schema)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as exc:
            raise self._damaged(str(exc)) from exc

    def update(self, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
        """Replace the table by a changed one.

        It is on disk when this returns.

        Call it without holding the store's `BarStore.writer`.

        Args:
            change: Returns the new table for the present one; the same leaves the file alone.

        Raises:
            DamagedFileError: As for `read`.
            StoreError: Another process is writing, or the disk is full.
        """
        with writer_lock(self._store / layout.LOCK, wait_s=_WAIT_S):
            make_store(self._store)
            manifest = heal(self._store)
            if (content := self.changed(change)) is not None:
                commit(self._store, manifest, {}, {self._name: content})

    def changed(self, change: Callable[[pl.DataFrame], pl.DataFrame]) -> bytes | None:
        """Return the content of the changed table, to be committed with others, or None when it stays the same.

        Raises:
            DamagedFileError: As for `read`.
        """
        before = self.read()
        after = change(before)
        if after.equals(before):
            return None
        buffer = io.BytesIO()
        after.write_parquet(buffer, metadata=BLANK_CHECKSUM)
        return with_own_checksum(buffer.getvalue())

    def _damaged(self, cause: str) -> DamagedFileError:
        return damaged_file(self.path, cause, self._remedy)
