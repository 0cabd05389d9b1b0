"""Check of what users give as a symbol."""

from __future__ import annotations

from openbell.errors import ConfigError

__all__ = ["checked_symbol"]


def checked_symbol(symbol: str) -> str:
    """Return a symbol.

    Raises:
        ConfigError: It is no text, or an empty one.
    """
    if not isinstance(symbol, str) or not symbol:
        raise ConfigError(f"a symbol is a text such as 'SPY', not {symbol!r}")
    return symbol
