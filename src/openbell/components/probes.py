"""Strategy and scanner whose methods are functions of a test.

`openbell.testing` makes their config entries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openbell.components.scanner import Scanner
from openbell.components.strategy import Signal, Strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from openbell.components.requirement import Requirement
    from openbell.model.bars import Bar
    from openbell.model.feed_events import FeedHealth
    from openbell.model.fill import Fill
    from openbell.model.order import Order
    from openbell.session.cross_section import CrossSection

__all__ = ["ProbeScanner", "ProbeStrategy", "SliceProbeStrategy"]


class ProbeStrategy(Strategy):
    """A strategy whose config holds a function for each method."""

    def subscriptions(self) -> Iterable[tuple[str, str]]:
        """Return what the function ``subscriptions`` returns."""
        return _call(self.config, "subscriptions", self) or ()

    def requirements(self) -> Iterable[Requirement]:
        """Return what the function ``requirements`` returns."""
        return _required(self.config, self)

    def setup(self) -> None:
        """Call the function ``setup``."""
        _call(self.config, "setup", self)

    def on_bar(self, bar: Bar) -> Signal | Iterable[Signal] | None:
        """Return what the function ``on_bar`` returns."""
        returned: Signal | Iterable[Signal] | None = _call(self.config, "on_bar", self, bar)
        return returned

    def on_fill(self, fill: Fill) -> None:
        """Call the function ``on_fill``."""
        _call(self.config, "on_fill", self, fill)

    def on_order(self, order: Order) -> None:
        """Call the function ``on_order``."""
        _call(self.config, "on_order", self, order)

    def on_revision(self, old: Bar | None, new: Bar) -> None:
        """Call the function ``on_revision``."""
        _call(self.config, "on_revision", self, old, new)

    def on_feed(self, health: FeedHealth, reason: str) -> None:
        """Call the function ``on_feed``."""
        _call(self.config, "on_feed", self, health, reason)

    def on_symbol_added(self, symbol: str) -> None:
        """Call the function ``on_symbol_added``."""
        _call(self.config, "on_symbol_added", self, symbol)

    def on_symbol_removed(self, symbol: str) -> None:
        """Call the function ``on_symbol_removed``."""
        _call(self.config, "on_symbol_removed", self, symbol)

    def teardown(self) -> None:
        """Call the function ``teardown``."""
        _call(self.config, "teardown", self)


class SliceProbeStrategy(ProbeStrategy):
    """A probe strategy that gets cross-sections as well."""

    # A class of its own, because the engine makes cross-sections only for classes that define this method.
    def on_slice(self, bars: CrossSection) -> Signal | Iterable[Signal] | None:
        """Return what the function ``on_slice`` returns."""
        returned: Signal | Iterable[Signal] | None = _call(self.config, "on_slice", self, bars)
        return returned


class ProbeScanner(Scanner):
    """A scanner whose config holds a function for each method."""

    def requirements(self) -> Iterable[Requirement]:
        """Return what the function ``requirements`` returns."""
        return _required(self.config, self)

    def setup(self) -> None:
        """Call the function ``setup``."""
        _call(self.config, "setup", self)

    def scan(self) -> Iterable[str] | None:
        """Return what the function ``scan`` returns."""
        returned: Iterable[str] | None = _call(self.config, "scan", self)
        return returned

    def teardown(self) -> None:
        """Call the function ``teardown``."""
        _call(self.config, "teardown", self)


def _required(functions: Mapping[str, Callable[..., Any]], component: object) -> Iterable[Requirement]:
    returned: Iterable[Requirement] = _call(functions, "requirements", component) if "requirements" in functions else ()
    return returned


def _call(functions: Mapping[str, Callable[..., Any]], name: str, *args: object) -> Any:
    function = functions.get(name)
    return None if function is None else function(*args)
