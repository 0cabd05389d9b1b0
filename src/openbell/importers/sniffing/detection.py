"""One setting detected from a file, with the reason and the confidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Confidence", "Detection"]

Confidence = Literal["given", "plain", "certain", "likely", "assumed", "unsure"]


@dataclass(frozen=True, slots=True)
class Detection:
    """One setting detected from a file.

    Attributes:
        what: The name of the setting, e.g. "time format".
        value: The value.
        why: The reason.
        confidence: ``given`` by the user, ``plain`` where it is the usual value, ``assumed`` where the file does not
            show it; else a guess that is ``certain``, ``likely`` or ``unsure``.
    """

    what: str
    value: str
    why: str
    confidence: Confidence

    @property
    def is_guess(self) -> bool:
        """Whether the user should confirm the value."""
        return self.confidence not in ("given", "plain", "assumed")
