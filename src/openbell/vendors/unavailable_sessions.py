"""The sessions that a source had no bars of, so that it is not asked again each time.

The file is ``<store>/fetched/unavailable.parquet``, one row for each session of a symbol. Without it nothing is lost:
sources are asked again.
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
"""Of a session as recent as that, bars may still come: that there are none is not remembered."""

_SCHEMA = pl.Schema(
    {"source": pl.String(), "symbol": pl.String(), "interval": pl.String(), "session": pl.Date()}
)  # fmt: skip
_KEY = list(_SCHEMA)


class UnavailableSessions:
    """The sessions that sources have no bars of, by what they answered before.

    Args:
        store: The store's folder or address.
    """

    def __init__(self, store: Place) -> None:
        remedy = f"Take it away with: {command_on('data repair', store)}"
        self._table = SideTable(store, layout.UNAVAILABLE, _SCHEMA, remedy)
        self.path = self._table.path

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
        return self._table.read()

    def take_over(self, rows: pl.DataFrame) -> None:
        """Add what another store remembers, as `read` returns it."""
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
        """Note the answers of a source.

        They are on disk when it returns.

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
        known = rows(some)
        self._table.update(
            lambda before: pl.concat([before.join(known, on=_KEY, how="anti"), settled]).unique().sort(_KEY)
        )
