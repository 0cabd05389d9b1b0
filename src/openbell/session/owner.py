"""Owner of what a session holds."""

from __future__ import annotations

from typing import Self

__all__ = ["Owner", "owner_of"]


class Owner(str):
    """Name of a component that needs something, with its kind.

    Attributes:
        name: The component, e.g. "strategy EmaCross".
        source: Its kind, e.g. "strategy".
        declared: How it declares the need, "subscription" or "requirement", which lasts as long as it does; empty of
            what it has added itself.
    """

    name: str
    source: str
    declared: str

    def __new__(cls, name: str, source: str = "", *, declared: str = "") -> Self:
        """Make an owner, whose text says what it declares and what it has added itself."""
        made = super().__new__(cls, f"{name} ({declared})" if declared else name)
        made.name, made.source, made.declared = name, source, declared
        return made

    def is_of(self, who: str) -> bool:
        """Return whether ``who`` means this owner or its source."""
        return who in (self.name, self.source)


def owner_of(owner: str) -> Owner:
    """Return an owner that was written as a text, whose first word is its source."""
    return owner if isinstance(owner, Owner) else Owner(owner, owner.partition(" ")[0])
