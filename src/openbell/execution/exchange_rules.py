"""Rules of exchanges that orders are checked against."""

from __future__ import annotations

__all__ = ["DEFAULT_CUTOFF_MINUTES", "FUTURES_EXCHANGES", "on_close_cutoff_minutes"]

FUTURES_EXCHANGES = frozenset({"CMES", "CME_GLOBEX", "IEPA", "XCBF", "us_futures"})
"""Calendars of exchanges on which futures are traded."""

DEFAULT_CUTOFF_MINUTES = 10
"""Minutes before the close after which no market-on-close order is taken, where nothing else is known."""

_CUTOFF_MINUTES = {"XNYS": 10, "XNAS": 5, "24/7": 0}
"""NYSE takes them until 15:50, Nasdaq until 15:55 (their rules 7.35B and 4754)."""


def on_close_cutoff_minutes(exchange: str) -> int:
    """Return how many minutes before the close an exchange stops taking market-on-close orders."""
    return _CUTOFF_MINUTES.get(exchange, DEFAULT_CUTOFF_MINUTES)
