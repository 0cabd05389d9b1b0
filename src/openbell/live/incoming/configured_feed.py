"""Feed that a config names."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from openbell.feeds.alpaca.alpaca_feed import AlpacaFeed
from openbell.feeds.websocket import WebSocketFeed

if TYPE_CHECKING:
    from datetime import date

    from openbell.config.live import LiveConfig
    from openbell.timing import TimeManager

__all__ = ["feed_of"]


def feed_of(live: LiveConfig, time_manager: TimeManager) -> AlpacaFeed | WebSocketFeed:
    """Return the feed that a config names.

    Raises:
        ConfigError: The environment has no keys for it, or a package is missing.
    """
    if live.provider == "websocket":
        return WebSocketFeed(live.url or "", name=live.feed)

    def close_of(day: date) -> int | None:
        return time_manager.session(day).close_ns if time_manager.is_session(day) else None

    return AlpacaFeed.of(os.environ, live.feed, close_of, live.url)
