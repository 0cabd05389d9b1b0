"""One thing found out about a file, with the reason and its certainty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Confidence", "Detection"]

Confidence = Literal["given", "plain", "certain", "likely", "assumed", "unsure"]


@dataclass(frozen=True, slots=True)
class Detection:
    """One thing found out about a file.

    Attributes:
        what: What it is about, e.g. "time format".
        value: What was found.
        why: What makes one think so.
        confidence: ``given`` by the person, ``plain`` as openbell expects it, ``assumed`` where the file does not show
            it, or how sure the guess is.
    """

    what: str
    value: str
    why: str
    confidence: Confidence

    @property
    def is_guess(self) -> bool:
        """Whether a person should confirm it."""
        return self.confidence not in ("given", "plain", "assumed")
