"""Numbers that may be unavailable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["Number", "Unavailable"]


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Placeholder for a number that cannot be computed.

    Attributes:
        reason: Why it cannot, for people.
    """

    reason: str


Number: TypeAlias = float | Unavailable
"""A number, or why there is none."""
