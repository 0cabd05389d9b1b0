"""What tests of live sessions share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from live.alpaca_trading_server import AlpacaTradingServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from live.virtual_time import VirtualArrivals


@pytest.fixture
def broker(time: VirtualArrivals) -> Iterator[AlpacaTradingServer]:
    """A broker in the time of the test, at which SPY has traded."""
    with AlpacaTradingServer(time, ["SPY", "QQQ"]) as made:
        made.trade("SPY", 100.0)
        yield made
