"""Symbols that the portfolio needs, provisioned like any other need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.errors import OpenbellError
from openbell.model.interval import parse_interval

if TYPE_CHECKING:
    from openbell.provisioning import Provisioner

__all__ = ["OWNER", "provision"]

OWNER = "portfolio"
"""Source and owner of what the portfolio needs."""


def provision(symbol: str, provisioner: Provisioner) -> str:
    """Give a session the bars of a symbol that trading needs, which are those of its finest stream's base.

    Returns:
        Why they cannot be had (empty when they are there).
    """
    context = provisioner.context
    finest = min(context.config.session_data_config.streams, key=parse_interval)
    try:
        interval = str(context.base_of(symbol, finest))
        if provisioner.add_bar(symbol, interval, source=OWNER, owner=OWNER):
            return ""
    except OpenbellError as error:
        return f"no bars of {symbol}: {error}"
    return f"no bars of {symbol}: {provisioner.refusal_of(symbol, interval)}"
