"""Warnings about indicators that have no value on prices of 0 and below."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from openbell.model.bars import Bars
    from openbell.provisioning.context import Market
    from openbell.provisioning.needs import IndicatorNeed

__all__ = ["price_warnings"]


def price_warnings(needs: Iterable[IndicatorNeed], bars: Mapping[str, Bars], market: Market) -> Iterator[str]:
    """Iterate over the indicators of positive prices that read others.

    Only bars that have closed by the session clock are looked at.

    Args:
        needs: The indicators.
        bars: By interval, the bars that were read for them.
        market: The exchange.
    """
    for need in needs:
        read = bars.get(str(need.interval))
        if not need.indicator.positive_prices or not read or read.low.item(read.low.argmin()) > 0:
            continue
        low = read.low[: int(read.end.searchsorted(market.now_ns, side="right"))]
        rows = np.flatnonzero(low <= 0)
        if not len(rows):
            continue
        count = "1 bar has" if len(rows) == 1 else f"{len(rows):,} bars have"
        first, last = (market.time_manager.day_of(int(read.timestamp[row])) for row in rows[[0, -1]])
        when = f"on {first}" if first == last else f"from {first} to {last}"
        yield (
            f"{need.key} is about prices above 0, and {count} prices of 0 or below {when}: it has no value where these "
            "have a part in it"
        )
