"""Owner of what a session holds."""

from __future__ import annotations

from typing import Self

__all__ = ["Owner", "owner_of"]


class Owner(str):
    """Name of a component that needs something, with its kind.

    Attributes:
        name: The component, e.g. "strategy EmaCross".
        source: Its kind, e.g. "strategy".
        by_subscription: Whether it needs it only as long as it subscribes to it.
    """

    name: str
    source: str
    by_subscription: bool

    def __new__(cls, name: str, source: str = "", *, by_subscription: bool = False) -> Self:
        """Make an owner, whose text tells a subscription from what the component has added itself."""
        made = super().__new__(cls, f"{name} (subscription)" if by_subscription else name)
        made.name, made.source, made.by_subscription = name, source, by_subscription
        return made

    def is_of(self, who: str) -> bool:
        """Return whether ``who`` means this owner or its source."""
        return who in (self.name, self.source)


def owner_of(owner: str) -> Owner:
    """Return an owner that was written as a text, whose first word is its source."""
    return owner if isinstance(owner, Owner) else Owner(owner, owner.partition(" ")[0])
