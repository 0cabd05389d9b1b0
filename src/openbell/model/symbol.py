"""Validation of symbols that users give."""

from __future__ import annotations

from openbell.errors import ConfigError

__all__ = ["checked_symbol"]


def checked_symbol(symbol: str) -> str:
    """Return a symbol after checking that it is a text and not empty.

    Raises:
        ConfigError: It is not a text, or is empty.
    """
    if not isinstance(symbol, str) or not symbol:
        raise ConfigError(f"a symbol is a text such as 'SPY', not {symbol!r}")
    return symbol
