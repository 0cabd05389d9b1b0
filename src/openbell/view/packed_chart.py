"""Binary form of charts, of which a page requests the rows that it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from openbell.pages.page import browser_json
from openbell.pages.report.charts import PRICES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from openbell.model.json_object import JsonObject
    from openbell.pages.report.charts import ChartData

__all__ = ["MEDIA_TYPE", "ServedChart"]

MEDIA_TYPE = "application/octet-stream"
_NONE = np.int32(-(2**31))
"""Stand-in for a missing value in a column of whole numbers."""
_MOST_WHOLE = 2**31 - 2
_ALIGNED = 8


class _Column(NamedTuple):
    """A column as it is sent, either as floats or as whole numbers times a power of ten."""

    name: str
    values: NDArray[np.int32] | NDArray[np.float64]
    decimals: int


class ServedChart:
    """Chart that is sent in parts.

    A response has the length of its head in four bytes, the head as JSON, and the columns of some rows, each of which
    begins at a multiple of eight bytes. Numbers are little-endian: integers of four bytes, in units of the last decimal
    that is shown, or floats of eight bytes where such integers cannot hold the values.

    Args:
        data: The chart.
        ends: The close of each bar, in seconds since 1970 UTC.
        head: Further entries of the head.
        first_rows: How many rows, from the end of the chart, are sent first.
    """

    def __init__(self, data: ChartData, ends: NDArray[np.int64], head: JsonObject, first_rows: int) -> None:
        self._first_rows = first_rows
        self._head = {**data.head, **head, "rows": len(ends)}
        decimals: int = data.head["decimals"]
        lines = [(f"line{n}", values, line["decimals"]) for n, (line, values) in enumerate(
            zip(data.head["lines"], data.lines, strict=True)
        )]  # fmt: skip
        prices = [(name, data.prices[:, column], decimals) for column, name in enumerate(PRICES)]
        times = [("time", data.seconds.astype(np.float64), 0), ("end", ends.astype(np.float64), 0)]
        self._columns = [_packed(*column) for column in (*times, *prices, ("volume", data.volume, 0), *lines)]

    def __len__(self) -> int:
        return int(self._head["rows"])

    def first_part(self) -> bytes:
        """Return the response with the head of the chart and its last rows."""
        return self._answer(self._head, max(len(self) - self._first_rows, 0), len(self))

    def rows(self, first: int, after: int) -> bytes:
        """Return the response with the rows from ``first`` up to and without ``after``."""
        first = min(max(first, 0), len(self))
        return self._answer({}, first, min(max(after, first), len(self)))

    def _answer(self, head: JsonObject, first: int, after: int) -> bytes:
        parts = [column.values[first:after].tobytes() for column in self._columns]
        kinds = [
            {"name": column.name, "bytes": column.values.itemsize, "decimals": column.decimals}
            for column in self._columns
        ]
        text = browser_json({**head, "first": first, "after": after, "columns": kinds}).encode()
        text += b" " * (-(len(text) + 4) % _ALIGNED)
        aligned = [part + b"\0" * (-len(part) % _ALIGNED) for part in parts]
        return b"".join([len(text).to_bytes(4, "little"), text, *aligned])


def _packed(name: str, values: NDArray[np.float64], decimals: int) -> _Column:
    scaled = np.round(values * 10.0**decimals)
    known = np.isfinite(scaled)
    if np.abs(scaled, where=known, out=np.zeros_like(scaled)).max(initial=0) > _MOST_WHOLE:
        return _Column(name, values.astype("<f8"), decimals)
    if not np.array_equal(scaled[known] / 10.0**decimals, values[known]):
        return _Column(name, values.astype("<f8"), decimals)
    return _Column(name, np.where(known, scaled, _NONE).astype("<i4"), decimals)
