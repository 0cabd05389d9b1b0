"""Rules of exchanges that orders are checked against."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openbell.timing import TimeManager

__all__ = ["DEFAULT_CUTOFF_MINUTES", "on_close_cutoff_minutes", "trades_futures"]

_FUTURES_EXCHANGES = frozenset({"CMES", "CME_GLOBEX", "IEPA", "XCBF", "XEUR", "us_futures"})

DEFAULT_CUTOFF_MINUTES = 10
"""Minutes before the close after which no market-on-close order is taken, where nothing else is known."""

_CUTOFF_MINUTES = {"XNYS": 10, "XNAS": 5, "NASDAQ": 5, "24/7": 0}
"""NYSE takes them until 15:50, Nasdaq until 15:55 (their rules 7.35B and 4754)."""


def trades_futures(time_manager: TimeManager) -> bool:
    """Return whether futures are traded on an exchange, or on the one that its sessions are based on."""
    return time_manager.based_on in _FUTURES_EXCHANGES


def on_close_cutoff_minutes(time_manager: TimeManager) -> int:
    """Return how many minutes before the close an exchange stops taking market-on-close orders."""
    # Nasdaq has the calendar of NYSE, of which its name is an alias, and another cutoff.
    names = (time_manager.exchange, time_manager.based_on)
    return next((_CUTOFF_MINUTES[name] for name in names if name in _CUTOFF_MINUTES), DEFAULT_CUTOFF_MINUTES)
