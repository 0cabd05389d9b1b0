"""The exchange that a command line names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openbell.config.exchange import ExchangeConfig

__all__ = ["exchange_named"]

_CONFIGS = (".yaml", ".yml", ".json", ".toml")


def exchange_named(text: str) -> str | ExchangeConfig:
    """Return a calendar's name, or the exchange of a session config.

    Raises:
        ConfigError: The config cannot be read.
    """
    if Path(text).suffix.lower() not in _CONFIGS:
        return text
    from openbell.config import load_config

    return load_config(text).exchange
