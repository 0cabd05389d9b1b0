"""Warnings about indicators that have no value on prices of 0 and below."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from openbell.model.bars import Bars
    from openbell.provisioning.context import Market
    from openbell.provisioning.needs import IndicatorNeed

__all__ = ["price_warnings"]


def price_warnings(
    needs: Iterable[IndicatorNeed], bars: Sequence[Mapping[str, Bars]], market: Market
) -> list[tuple[str, ...]]:
    """Return of each symbol warnings about the indicators of positive prices that read others.

    Only bars that have closed by the session clock are looked at.

    Args:
        needs: The indicators.
        bars: Of each symbol by interval, the bars that were read for them.
        market: The exchange.
    """
    concerned = [need for need in needs if need.indicator.positive_prices]
    names = list(dict.fromkeys(str(need.interval) for need in concerned))
    return [
        () if all(_is_positive(read.get(name)) for name in names) else tuple(_of_symbol(concerned, read, market))
        for read in bars
    ]


def _is_positive(bars: Bars | None) -> bool:
    return not bars or bool(bars.low.item(bars.low.argmin()) > 0)


def _of_symbol(needs: Iterable[IndicatorNeed], bars: Mapping[str, Bars], market: Market) -> Iterator[str]:
    for need in needs:
        read = bars.get(str(need.interval))
        if read is None or _is_positive(read):
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
