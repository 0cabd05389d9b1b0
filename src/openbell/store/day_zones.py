"""The days that daily bars span, where these are not sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from openbell.store.layout import DAY_ZONES
from openbell.store.side_table import SideTable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openbell.model.address import Place
    from openbell.store.manifest import Manifest

__all__ = ["SESSION", "UNKNOWN", "noted_day_zones", "read_day_zones"]

SESSION = "session"
"""Value in place of a zone for daily bars that span sessions, as those of symbols without a note do."""

UNKNOWN = "unknown"
"""Value in place of a zone for daily bars that had dates only, without any statement of which days they span."""

_SCHEMA = pl.Schema({"symbol": pl.String(), "zone": pl.String()})
_REMEDY = "Import the daily bars again: that rewrites it."


def noted_day_zones(store: Place, zones: Mapping[str, str | None]) -> dict[str, bytes]:
    """Return the file of notes with new ones added, by name, or nothing when it stays the same.

    It is to be committed together with the bars.

    Args:
        store: The store's folder or address.
        zones: By symbol, the time zone whose days, from midnight to midnight, its daily bars span, or `SESSION` or
            `UNKNOWN`. `UNKNOWN` does not replace another note, and None removes a symbol's note.

    Raises:
        DamagedFileError: The existing notes cannot be read.
    """
    content = _table(store).changed(lambda before: _noted(before, zones)) if zones else None
    return {} if content is None else {DAY_ZONES: content}


def read_day_zones(store: Place, manifest: Manifest) -> dict[str, str]:
    """Return the time zone of the days that daily bars span, or `SESSION` or `UNKNOWN`, by symbol.

    Raises:
        DamagedFileError: The notes cannot be read.
    """
    if DAY_ZONES not in manifest.side_files:  # the usual case
        return {}
    return dict(_table(store).read().iter_rows())


def _table(store: Place) -> SideTable:
    return SideTable(store, DAY_ZONES, _SCHEMA, _REMEDY)


def _noted(before: pl.DataFrame, zones: Mapping[str, str | None]) -> pl.DataFrame:
    known: dict[str, str | None] = dict(before.iter_rows())
    known |= {symbol: zone for symbol, zone in zones.items() if zone != UNKNOWN or symbol not in known}
    noted = sorted((symbol, zone) for symbol, zone in known.items() if zone is not None)
    return pl.DataFrame(noted, _SCHEMA, orient="row")
