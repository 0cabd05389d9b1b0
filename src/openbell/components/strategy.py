"""`Strategy`: what watches bars as they close and gives signals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openbell.components.context import SessionContext

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from openbell.model.bars import Bar
    from openbell.session.cross_section import CrossSection

__all__ = ["Signal", "Strategy", "StrategyContext"]


@dataclass(frozen=True, slots=True)
class Signal:
    """What a strategy would do, for the record; openbell places no orders.

    Attributes:
        symbol: The symbol.
        action: What to do, in words of your own, e.g. "BUY".
        reason: Why, for people.

    Raises:
        TypeError: A value is no text.
    """

    symbol: str
    action: str
    reason: str = ""

    def __post_init__(self) -> None:
        for name in ("symbol", "action", "reason"):
            if not isinstance(getattr(self, name), str):
                raise TypeError(f"a Signal's {name} must be text, not {getattr(self, name)!r}")


class StrategyContext(SessionContext):
    """A session as a strategy sees it."""


class Strategy:
    """Define `subscriptions` and `on_bar` or `on_slice`, and name the class in the config as ``module:Class``.

    A new object is made for every session day, so that nothing survives from one to the next by accident.

    Args:
        context: The session.
        config: What the config gives this strategy under ``config``.
    """

    def __init__(self, context: StrategyContext, config: Mapping[str, Any]) -> None:
        self.context = context
        self.config = config

    def subscriptions(self) -> Iterable[tuple[str, str]]:
        """The (symbol, interval) pairs that `on_bar` and `on_slice` get; what is not in the session is provisioned.

        Asked before the open, and again whenever symbols were added or removed.
        """
        return ()

    def setup(self) -> None:
        """Called once a day, before the open: the place to add the indicators that `on_bar` reads."""

    def on_bar(self, bar: Bar) -> Signal | Iterable[Signal] | None:
        """Called when a subscribed bar has closed, after all bars and indicators of that moment are there."""

    def on_slice(self, bars: CrossSection) -> Signal | Iterable[Signal] | None:
        """Called once a time and interval, after all `on_bar`: the subscribed symbols that closed a bar, as columns."""

    def on_symbol_added(self, symbol: str) -> None:
        """Called when a symbol became full in mid-session, whoever added it."""

    def teardown(self) -> None:
        """Called once a day, after the close."""
