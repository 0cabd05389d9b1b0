"""Exchange that a command line names."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from openbell.errors import EXCHANGE_OPTION

if TYPE_CHECKING:
    from openbell.config.exchange import ExchangeConfig

__all__ = ["exchange_named"]

_CONFIGS = (".yaml", ".yml", ".json", ".toml")


def exchange_named(text: str) -> str | ExchangeConfig:
    """Return the exchange that a command is given, and let commands in messages name it.

    Args:
        text: The name of a calendar; or a file with a session config or only the key ``exchange``; or the value of that
            key, in braces, for an exchange with its own sessions.

    Raises:
        ConfigError: The file or the text cannot be read, or describes no exchange.
    """
    if text != "XNYS":
        EXCHANGE_OPTION.set(f" --exchange {quote(text)}")  # reset at the end of the command
    if text.lstrip().startswith("{"):
        from openbell.config.reading import read_exchange

        return read_exchange(text)
    if Path(text).suffix.lower() not in _CONFIGS:
        return text
    from openbell.config.reading import load_exchange

    return load_exchange(text)
