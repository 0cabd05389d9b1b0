"""Numbers that may not be had."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["Number", "Unavailable"]


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Stands in for a number that cannot be had.

    Attributes:
        reason: Why not, for people.
    """

    reason: str


Number: TypeAlias = float | Unavailable
"""A number, or why there is none."""
