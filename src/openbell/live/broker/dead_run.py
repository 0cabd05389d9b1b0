"""Cancellation of a run's orders at its broker when its process is dead or does not answer."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from openbell.config import load_config
from openbell.errors import BrokerError
from openbell.feeds.arrivals import Inbox
from openbell.live.broker.broker_terms import link_of
from openbell.live.record.feed_record import read_record
from openbell.model.order import DUST
from openbell.results.folder.event_files import event_lines

if TYPE_CHECKING:
    from pathlib import Path

    from openbell.model.json_object import JsonObject

__all__ = ["close_out", "trades_at_broker"]


def trades_at_broker(folder: Path) -> bool:
    """Return whether the run of a folder has orders at a broker over the network."""
    return "account" in _first_line(folder)


def close_out(folder: Path, *, positions: bool) -> list[str]:
    """Cancel the orders of a run at its broker, and close its positions if asked to.

    Args:
        folder: The run folder.
        positions: Whether the run's positions are closed as well.

    Returns:
        What was done, one text for each action.

    Raises:
        ConfigError: The environment has no keys.
        BrokerError: The broker does not answer or refuses, or the keys are those of another account.
    """
    known = _first_line(folder)
    link = link_of(load_config(folder / "config.json"), known["run"], Inbox())
    if link is None:
        return []
    try:
        account = link.account()
        if account.number != known["account"]:
            raise BrokerError(
                f"the run trades on the account {known['account']}, and the keys are those of {account.number}."
            )
        return link.close_out(_held(folder) if positions else ())
    finally:
        link.close()


def _first_line(folder: Path) -> JsonObject:
    """Return the first line of the record, which names the account of a run that trades on one."""
    return next(read_record(folder), {})


def _held(folder: Path) -> list[str]:
    """Return the symbols in which the run has a position, by its fills."""
    units: dict[str, float] = defaultdict(float)
    path = folder / "fills.jsonl"
    for fill in event_lines(path) if path.is_file() else ():
        units[fill["symbol"]] += fill["quantity"]
    return [symbol for symbol, quantity in units.items() if abs(quantity) > DUST]
