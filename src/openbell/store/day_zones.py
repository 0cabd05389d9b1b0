"""The days that daily bars span, where these are not sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from openbell.store.layout import DAY_ZONES
from openbell.store.side_table import SideTable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from openbell.store.manifest import Manifest

__all__ = ["note_day_zones", "read_day_zones"]

_SCHEMA = pl.Schema({"symbol": pl.String(), "zone": pl.String()})
_REMEDY = "Import the daily bars again: that writes it anew."


def note_day_zones(store: Path, zones: Mapping[str, str]) -> None:
    """Note of symbols that their daily bars span days from midnight to midnight of a time zone, not sessions.

    Call it before such bars are written, without holding the store's writer: so no bar is ever without its note.

    Args:
        store: The store's folder.
        zones: The time zone by symbol.

    Raises:
        DamagedFileError: What was noted before cannot be read.
        StoreError: Another process is writing, or the disk is full.
    """
    if zones:
        new = pl.DataFrame({"symbol": list(zones), "zone": list(zones.values())}, _SCHEMA)
        table = SideTable(store, DAY_ZONES, _SCHEMA, _REMEDY)
        table.update(lambda before: before.update(new, on="symbol", how="full").sort("symbol"))


def read_day_zones(store: Path, manifest: Manifest) -> dict[str, str]:
    """Return the time zone of the days that daily bars span, by symbol.

    Raises:
        DamagedFileError: It cannot be read.
    """
    if DAY_ZONES not in manifest.side_files:  # the usual case
        return {}
    return dict(SideTable(store, DAY_ZONES, _SCHEMA, _REMEDY).read().iter_rows())
