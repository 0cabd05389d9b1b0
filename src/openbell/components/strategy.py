"""Base class of strategies, which watch bars as they close and give signals and orders."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite
from numbers import Real
from typing import TYPE_CHECKING, Any, NoReturn

from openbell.components.meant_arguments import says_what_was_meant
from openbell.components.strategy_context import StrategyContext

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from openbell.components.requirement import Requirement
    from openbell.components.state import StrategyState
    from openbell.model.bars import Bar
    from openbell.model.feed_events import FeedHealth
    from openbell.model.fill import Fill
    from openbell.model.order import Order
    from openbell.session.cross_section import CrossSection

__all__ = ["Signal", "Strategy", "StrategyContext"]

_NUMBERS = ("quantity", "percent", "stop", "target", "limit")


@dataclass(frozen=True, slots=True)
class Signal:
    """An intended trade, for the record.

    Where ``execution.signals`` of the config has an entry for the action, orders follow from it; the numbers of a
    signal override those of the entry.

    Attributes:
        symbol: The symbol.
        action: The action, in words of your own, e.g. "BUY".
        reason: The reason, for people.
        quantity: The position to have, in units; negative for short.
        percent: The position to have, as a percentage of equity.
        stop: The price of a stop order that closes the position.
        target: The limit price at which the position is closed.
        limit: The limit price of the order that leads to the position.

    Raises:
        TypeError: A text is not a string, or a number is of another type.
        ValueError: A number is not finite, or both a quantity and a percentage are given.
    """

    symbol: str
    action: str
    reason: str = ""
    quantity: float | None = field(default=None, kw_only=True)
    percent: float | None = field(default=None, kw_only=True)
    stop: float | None = field(default=None, kw_only=True)
    target: float | None = field(default=None, kw_only=True)
    limit: float | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        # Strategies give thousands of signals, so that valid ones have to pass quickly.
        if not (isinstance(self.symbol, str) and isinstance(self.action, str) and isinstance(self.reason, str)):
            self._refuse_text()
        if self._has_numbers():
            self._check_numbers()

    def _refuse_text(self) -> NoReturn:
        texts = {"symbol": self.symbol, "action": self.action, "reason": self.reason}
        name, text = next((name, text) for name, text in texts.items() if not isinstance(text, str))
        raise TypeError(f"a Signal's {name} must be text, not {text!r}")

    def _has_numbers(self) -> bool:
        # Not by their names, which takes longer: most signals have no numbers.
        return not (self.quantity is self.percent is self.stop is self.target is self.limit is None)

    def _check_numbers(self) -> None:
        for name in _NUMBERS:
            value = getattr(self, name)
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, Real):
                raise TypeError(f"a Signal's {name} must be a number, not {value!r}")
            if not isfinite(value):
                raise ValueError(f"a Signal's {name} must be finite, not {value!r}")
        if self.quantity is not None and self.percent is not None:
            raise ValueError("a Signal has a quantity or a percent, not both")

    @property
    def numbers(self) -> dict[str, float]:
        """The numbers that are given, by name."""
        if not self._has_numbers():
            return {}
        return {name: value for name in _NUMBERS if (value := getattr(self, name)) is not None}


# Decorated afterwards, because the dataclass generates the constructor.
setattr(Signal, "__init__", says_what_was_meant("Signal", TypeError)(Signal.__init__))  # noqa: B010 -- mypy's method-assign


class Strategy:
    """Base class of strategies, of which a subclass defines `subscriptions` and `on_bar` or `on_slice`.

    The config names it as ``module:Class`` or ``file.py:Class``. A new object is made for every session day, so that
    nothing survives from one to the next by accident.

    Args:
        context: The session.
        config: The section ``config`` of this strategy's entry in the config.
    """

    def __init__(self, context: StrategyContext, config: Mapping[str, Any]) -> None:
        self.context = context
        self.config = config

    @property
    def state(self) -> StrategyState:
        """Memory of the strategy from session to session, a dictionary of JSON values."""
        return self.context.state

    @state.setter
    def state(self, values: Mapping[str, Any]) -> None:
        self.context.state = values

    def subscriptions(self) -> Iterable[tuple[str, str]]:
        """Return the (symbol, interval) pairs whose bars `on_bar` and `on_slice` get.

        Called before the open, and again whenever symbols were added or removed. A series that is not in the session is
        provisioned.
        """
        return ()

    def requirements(self) -> Iterable[Requirement]:
        """Return the bars and indicators that it needs, so that `check` and `plan` show them.

        Optional. They are provisioned before `setup`, and again whenever symbols were added or removed; what is no
        longer returned is removed. `check` calls this before there is a session: only the config may be read, and
        ``symbols``, ``session_date`` and ``session`` of the context.
        """
        return ()

    def setup(self) -> None:
        """Prepare for the day before the open, such as by adding the indicators that `on_bar` reads."""

    def on_bar(self, bar: Bar) -> Signal | Iterable[Signal] | None:
        """Receive a subscribed bar that has closed.

        All bars and indicators of that time are there.
        """

    def on_slice(self, bars: CrossSection) -> Signal | Iterable[Signal] | None:
        """Receive the subscribed bars of one interval that closed at one time, as columns.

        Called after all `on_bar` of that time.
        """

    def on_fill(self, fill: Fill) -> None:
        """Receive a fill of an order of this strategy, when its bar has closed."""

    def on_order(self, order: Order) -> None:
        """Receive an order of this strategy whenever its status has changed."""

    def on_revision(self, old: Bar | None, new: Bar) -> None:
        """React to the revision of a closed bar of a subscription, in a live session.

        The series, what derives from it and its indicators are up to date already. There is no `on_bar` for it.

        Args:
            old: The bar before; None when it came late, after the event batch of its time.
            new: The bar now.
        """

    def on_feed(self, health: FeedHealth, reason: str) -> None:
        """React to a change of the health of a live session's feed.

        While it is not LIVE, orders that open a position or add to one are rejected with the reason.

        Args:
            health: "LIVE", "BACKFILLING", "STALE" or "DOWN".
            reason: Why, in words.
        """

    def on_symbol_added(self, symbol: str) -> None:
        """Receive a symbol that became full in mid-session, whoever added it."""

    def on_symbol_removed(self, symbol: str) -> None:
        """Receive a symbol that is no longer full, or no longer there, whoever removed it.

        What this strategy added to it itself stays until it is removed with ``context.remove_symbol``; what it needed
        for a subscription is removed with the subscription.
        """

    def teardown(self) -> None:
        """Clean up after the close."""
