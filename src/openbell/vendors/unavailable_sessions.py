"""Sessions that a source had no bars of.

They are recorded so that they are not requested again each time.

The file is ``<store>/fetched/unavailable.parquet``, one row for each session of a symbol. If it is lost, the sessions
are only requested again.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from openbell.errors import command_on
from openbell.store import layout
from openbell.store.side_table import SideTable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from openbell.model.address import Place

__all__ = ["SETTLED_AFTER", "UnavailableSessions"]

SETTLED_AFTER = timedelta(days=30)
"""The age from which a session without bars is recorded; of more recent ones, bars may still appear."""

_SCHEMA = pl.Schema(
    {"source": pl.String(), "symbol": pl.String(), "interval": pl.String(), "session": pl.Date()}
)  # fmt: skip
_KEY = list(_SCHEMA)


class UnavailableSessions:
    """The recorded sessions that sources have no bars of.

    Args:
        store: The store's folder or address.

    Attributes:
        path: The file with the records.
    """

    def __init__(self, store: Place) -> None:
        remedy = f"Remove it with: {command_on('data repair', store)}"
        self._table = SideTable(store, layout.UNAVAILABLE, _SCHEMA, remedy)
        self.path = self._table.path

    def sessions(self, source: str, interval: str) -> dict[str, set[date]]:
        """Return the recorded sessions by symbol.

        Args:
            source: The `BarSource.origin`; another feed of the same vendor may have other bars.
            interval: The interval of the bars.

        Raises:
            DamagedFileError: As for `read`.
        """
        mine = self.read().filter(source=source, interval=interval)
        return {str(symbol): set(days) for symbol, days in mine.group_by("symbol").agg("session").iter_rows()}

    def read(self) -> pl.DataFrame:
        """Return the records of all sources.

        Raises:
            DamagedFileError: The file cannot be read, or is not what was stored.
        """
        return self._table.read()

    def merge(self, rows: pl.DataFrame) -> None:
        """Merge the records of another store, as `read` returns them, into those of this one."""
        self._table.update(lambda before: pl.concat([before, rows]).unique().sort(_KEY))

    def remember(
        self,
        source: str,
        interval: str,
        *,
        none: Iterable[tuple[str, date]],
        some: Iterable[tuple[str, date]],
        today: date,
    ) -> None:
        """Record the answers of a source.

        The records are on disk when the method returns.

        Args:
            source: The `BarSource.origin`.
            interval: The interval of the bars.
            none: (symbol, session) without bars; sessions within `SETTLED_AFTER` of ``today`` are left out.
            some: (symbol, session) with bars; earlier records of them are deleted.
            today: The day of the answers.

        Raises:
            DamagedFileError: As for `read`.
            StoreError: Another process is writing.
        """

        def rows(sessions: Iterable[tuple[str, date]]) -> pl.DataFrame:
            found = [(source, symbol, interval, day) for symbol, day in sessions]
            return pl.DataFrame(found, schema=_SCHEMA, orient="row")

        settled = rows((symbol, day) for symbol, day in none if day + SETTLED_AFTER <= today)
        known = rows(some)
        self._table.update(
            lambda before: pl.concat([before.join(known, on=_KEY, how="anti"), settled]).unique().sort(_KEY)
        )
