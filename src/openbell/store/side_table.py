"""A table that a store keeps beside its bars, in one Parquet file that carries its own checksum."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import polars as pl

from openbell.store.backing import backing_of, until_committed
from openbell.store.checksum import BLANK_CHECKSUM, has_own_checksum, with_own_checksum
from openbell.store.data_file import damaged_file

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from openbell.errors import DamagedFileError
    from openbell.model.address import Place

__all__ = ["SideTable"]

_WAIT_S = 30.0


class SideTable:
    """A table beside the bars of a store, written whole or not at all.

    Args:
        store: The store's folder or address.
        name: The file, one of `SIDE_FILES`.
        schema: The columns.
        remedy: What to do when the file is damaged, for the message; None for the error's own advice.

    Attributes:
        path: The file.
    """

    def __init__(self, store: Place, name: str, schema: pl.Schema, remedy: str | None = None) -> None:
        self.path = store / name
        self._backing = backing_of(store)
        self._name = name
        self._schema = schema
        self._remedy = remedy

    def read(self, listed: Collection[str] | None = None) -> pl.DataFrame:
        """Return the table.

        It is empty when the store has none.

        Args:
            listed: The files beside the bars that a manifest lists which was read before, so that no manifest is read
                for a table that the store has never had.

        Raises:
            DamagedFileError: The file is lost, cannot be read, or is not what was stored.
        """
        try:
            content = self._backing.side_content(self._name)
        except OSError as exc:
            raise self._damaged(exc.strerror or str(exc)) from exc
        if content is None:
            # A file that was listed may have been removed since, so the current manifest decides.
            if (listed is None or self._name in listed) and self._name in self._backing.side_files():
                raise self._damaged("it is missing")
            return self._schema.to_frame()
        if not has_own_checksum(content):
            raise self._damaged("its content is not what was stored")
        try:
            return pl.read_parquet(io.BytesIO(content)).select(*self._schema)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as exc:
            raise self._damaged(str(exc)) from exc

    def update(self, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
        """Replace the table by a changed one.

        It is on disk when this returns. Call it without holding the store's `BarStore.writer`.

        Args:
            change: Function from the present table to the new one; an equal one leaves the file as it is.

        Raises:
            DamagedFileError: As for `read`.
            StoreError: Another process is writing, or the disk is full.
        """

        def attempt() -> None:
            manifest = self._backing.heal()
            if (content := self.changed(change)) is not None:
                self._backing.commit(manifest, {}, {self._name: content})

        with self._backing.lock(_WAIT_S):
            self._backing.make()
            until_committed(attempt)

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
