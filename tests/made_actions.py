"""Says corporate actions in a line each."""

from __future__ import annotations

import polars as pl

from openbell.actions import ACTION_SCHEMA


def actions(*rows: tuple) -> pl.DataFrame:
    """Rows of symbol, ex-date, type, and value or new name."""
    return pl.DataFrame(
        [
            (s, d, kind, None if kind == "rename" else float(value), value if kind == "rename" else None, None)
            for s, d, kind, value in rows
        ],
        schema=ACTION_SCHEMA,
        orient="row",
    )
