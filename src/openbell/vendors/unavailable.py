"""The sessions that a source had no bars of, so that it is not asked again each time.

The file is ``<store>/fetched/unavailable.parquet``, one row for each session of a symbol; it carries its own checksum
(`openbell.store.checksum`). Without it nothing is lost: sources are asked again.
"""

from __future__ import annotations

import io
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from openbell.errors import DamagedFileError, command_on
from openbell.store import layout
from openbell.store.atomic_files import replace_file, sync_folders, writer_lock
from openbell.store.checksum import BLANK_CHECKSUM, has_own_checksum, with_own_checksum

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date
    from pathlib import Path

__all__ = ["SETTLED_AFTER", "Unavailable"]

SETTLED_AFTER = timedelta(days=30)
"""Of a session as recent as that, bars may still come: that there are none is not remembered."""

_SCHEMA = pl.Schema(
    {"source": pl.String(), "symbol": pl.String(), "interval": pl.String(), "session": pl.Date()}
)  # fmt: skip
_KEY = list(_SCHEMA)
_WAIT_S = 30.0


class Unavailable:
    """The sessions that sources have no bars of, by what they answered before.

    Args:
        store: The store's folder.
    """

    def __init__(self, store: Path) -> None:
        self.path = store / layout.FETCHED / "unavailable.parquet"
        self._store = store

    def sessions(self, source: str, interval: str) -> dict[str, set[date]]:
        """Return the sessions by symbol.

        Args:
            source: Whom one asked, and for what: another feed may have other bars.
            interval: Of which bars.

        Raises:
            DamagedFileError: As for `read`.
        """
        mine = self.read().filter(source=source, interval=interval)
        return {str(symbol): set(days) for symbol, days in mine.group_by("symbol").agg("session").iter_rows()}

    def read(self) -> pl.DataFrame:
        """Return all that is remembered, of all sources.

        Raises:
            DamagedFileError: The file cannot be read, or is not what was stored.
        """
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return _SCHEMA.to_frame()
        remedy = f"Take it away with: {command_on('data repair', self._store)}"
        if not has_own_checksum(content):
            raise DamagedFileError(self.path, "its content is not what was stored", remedy)
        try:
            return pl.read_parquet(io.BytesIO(content)).select(_KEY)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as exc:
            raise DamagedFileError(self.path, str(exc), remedy) from exc

    def remember(
        self,
        source: str,
        interval: str,
        *,
        none: Iterable[tuple[str, date]],
        some: Iterable[tuple[str, date]],
        today: date,
    ) -> None:
        """Note the answers of a source; they are on disk when it returns.

        Args:
            source: Who answered; see `sessions`.
            interval: Of which bars.
            none: (symbol, session) without bars; those that are not settled yet are left out.
            some: Those with bars; what was remembered of them is forgotten.
            today: On which day one asked.

        Raises:
            DamagedFileError: As for `read`.
            StoreError: Another process is writing.
        """

        def rows(sessions: Iterable[tuple[str, date]]) -> pl.DataFrame:
            found = [(source, symbol, interval, day) for symbol, day in sessions]
            return pl.DataFrame(found, schema=_SCHEMA, orient="row")

        settled = rows((symbol, day) for symbol, day in none if day + SETTLED_AFTER <= today)
        with writer_lock(self._store / layout.LOCK, wait_s=_WAIT_S):
            before = self.read()
            after = pl.concat([before.join(rows(some), on=_KEY, how="anti"), settled]).unique().sort(_KEY)
            if after.equals(before):
                return
            buffer = io.BytesIO()
            after.write_parquet(buffer, metadata=BLANK_CHECKSUM)
            self.path.parent.mkdir(exist_ok=True)
            replace_file(self.path, with_own_checksum(buffer.getvalue()))
            sync_folders([self.path.parent, self._store])
