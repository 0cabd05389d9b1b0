"""Strategy and scanner whose methods are functions of a test.

`openbell.testing` makes their config entries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openbell.components.scanner import Scanner
from openbell.components.strategy import Signal, Strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from openbell.components.requirement import Requirement
    from openbell.model.bars import Bar
    from openbell.model.feed_events import FeedHealth
    from openbell.model.fill import Fill
    from openbell.model.order import Order
    from openbell.session.cross_section import CrossSection

__all__ = ["METHODS", "Methods", "ProbeScanner", "ProbeStrategy", "SliceProbeStrategy"]

METHODS = "probe_methods"
"""The key of a probe's config under which its functions are."""


class Methods(dict[str, "Callable[..., Any]"]):
    """The functions of a probe by the names of its methods.

    A session copies the config of its components. Functions stay the same, since a method of an object would record
    what it hears in a copy of that object.
    """

    def __deepcopy__(self, memo: object) -> Methods:
        return self


class ProbeStrategy(Strategy):
    """A strategy whose config holds functions for its methods."""

    def subscriptions(self) -> Iterable[tuple[str, str]]:
        """Return what the function ``subscriptions`` returns."""
        return _call(self, "subscriptions") or ()

    def requirements(self) -> Iterable[Requirement]:
        """Return what the function ``requirements`` returns."""
        return _required(self)

    def setup(self) -> None:
        """Call the function ``setup``."""
        _call(self, "setup")

    def on_bar(self, bar: Bar) -> Signal | Iterable[Signal] | None:
        """Return what the function ``on_bar`` returns."""
        returned: Signal | Iterable[Signal] | None = _call(self, "on_bar", bar)
        return returned

    def on_fill(self, fill: Fill) -> None:
        """Call the function ``on_fill``."""
        _call(self, "on_fill", fill)

    def on_order(self, order: Order) -> None:
        """Call the function ``on_order``."""
        _call(self, "on_order", order)

    def on_revision(self, old: Bar | None, new: Bar) -> None:
        """Call the function ``on_revision``."""
        _call(self, "on_revision", old, new)

    def on_feed(self, health: FeedHealth, reason: str) -> None:
        """Call the function ``on_feed``."""
        _call(self, "on_feed", health, reason)

    def on_symbol_added(self, symbol: str) -> None:
        """Call the function ``on_symbol_added``."""
        _call(self, "on_symbol_added", symbol)

    def on_symbol_removed(self, symbol: str) -> None:
        """Call the function ``on_symbol_removed``."""
        _call(self, "on_symbol_removed", symbol)

    def teardown(self) -> None:
        """Call the function ``teardown``."""
        _call(self, "teardown")


class SliceProbeStrategy(ProbeStrategy):
    """A probe strategy that gets cross-sections as well."""

    # A class of its own, because the engine makes cross-sections only for classes that define this method.
    def on_slice(self, bars: CrossSection) -> Signal | Iterable[Signal] | None:
        """Return what the function ``on_slice`` returns."""
        returned: Signal | Iterable[Signal] | None = _call(self, "on_slice", bars)
        return returned


class ProbeScanner(Scanner):
    """A scanner whose config holds functions for its methods."""

    def requirements(self) -> Iterable[Requirement]:
        """Return what the function ``requirements`` returns."""
        return _required(self)

    def setup(self) -> None:
        """Call the function ``setup``."""
        _call(self, "setup")

    def scan(self) -> Iterable[str] | None:
        """Return what the function ``scan`` returns."""
        returned: Iterable[str] | None = _call(self, "scan")
        return returned

    def teardown(self) -> None:
        """Call the function ``teardown``."""
        _call(self, "teardown")


def _required(component: Strategy | Scanner) -> Iterable[Requirement]:
    declares = "requirements" in component.config[METHODS]
    returned: Iterable[Requirement] = _call(component, "requirements") if declares else ()
    return returned


def _call(component: Strategy | Scanner, name: str, *args: object) -> Any:
    function = component.config[METHODS].get(name)
    return None if function is None else function(component, *args)
