"""Validation of symbols that users give."""

from __future__ import annotations

from collections.abc import Iterable

from openbell.errors import ConfigError

__all__ = ["checked_symbol", "listed_symbols"]


def checked_symbol(symbol: str) -> str:
    """Return a symbol after checking that it is a text and not empty.

    Raises:
        ConfigError: It is not a text, or is empty.
    """
    if not isinstance(symbol, str) or not symbol:
        raise ConfigError(f"a symbol is a text such as 'SPY', not {symbol!r}")
    return symbol


def listed_symbols(symbols: Iterable[str], method: str) -> list[str]:
    """Return symbols in their order, without repeats.

    Args:
        symbols: The symbols.
        method: The name of what takes them, for messages.

    Raises:
        ConfigError: They are a text, whose letters would be taken for symbols, or no symbols.
    """
    if isinstance(symbols, str):
        raise ConfigError(f"{method} takes a list of symbols, not the text {symbols!r}; write [{symbols!r}]")
    if not isinstance(symbols, Iterable):
        raise ConfigError(f"{method} takes a list of symbols, not {symbols!r}")
    return list(dict.fromkeys(map(checked_symbol, symbols)))
