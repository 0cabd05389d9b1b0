"""The outcome of a write."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["WriteReport"]


@dataclass(frozen=True, slots=True)
class WriteReport:
    """The outcome of a write in rows.

    Attributes:
        added: New rows.
        revised: Rows with other values than before.
        unchanged: Rows that were there already.
    """

    added: int = 0
    revised: int = 0
    unchanged: int = 0

    def __add__(self, other: WriteReport) -> WriteReport:
        return WriteReport(self.added + other.added, self.revised + other.revised, self.unchanged + other.unchanged)
