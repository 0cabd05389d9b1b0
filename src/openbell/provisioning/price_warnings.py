"""Warnings about steps of the price that look like splits, and about prices of 0 and below."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from openbell.model.interval import parse_interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from openbell.model.bars import Bars, BarTimes
    from openbell.model.interval import Interval
    from openbell.provisioning.context import Market, StoredDay
    from openbell.provisioning.history_search import HistoryProof
    from openbell.provisioning.needs import IndicatorNeed

__all__ = ["price_warnings", "split_warnings"]

_NO_SPLIT = 0.16
"""Largest step, as a share of the price, that is no split (the smallest split is 5-for-4, give or take 2.5 %)."""


def split_warnings(
    symbols: Sequence[str],
    histories: Mapping[str, HistoryProof],
    bars: Sequence[Mapping[str, Bars]],
    day: StoredDay,
) -> list[tuple[str, ...]]:
    """Return per symbol the warnings about overnight price steps that look like splits.

    The deepest history of every base interval is checked, up to the session's start. There are none for raw prices,
    which have the steps of splits on purpose.

    Args:
        symbols: The symbols, whose bars have the same times.
        histories: By interval, what the store has.
        bars: Per symbol by interval, the bars that were read for the histories.
        day: The store and the calendar.
    """
    if day.data_manager.adjustment == "raw":
        return [()] * len(symbols)
    texts: list[dict[str, str]] = [{} for _ in symbols]
    for base, proof in day.memo(_deepest, day.market, tuple(histories.values())):
        read = [_with_nights(symbol, base, proof, own, day) for symbol, own in zip(symbols, bars, strict=True)]
        for place in _with_steps(read, proof, day):
            for when, text in _likely_splits(read[place], proof, day):
                texts[place].setdefault(when, text)
    return [tuple(found.values()) for found in texts]


def _with_nights(symbol: str, base: Interval, proof: HistoryProof, bars: Mapping[str, Bars], day: StoredDay) -> Bars:
    if proof.need.interval.is_intraday or proof.need.interval == base:
        return bars[str(proof.need.interval)]
    # A bar of several sessions has no nights.
    first, last = proof.first_session, day.market.day
    return day.data_manager.load_historical_bars(symbol, "1d", first, last, base=str(base))


def _deepest(market: Market, histories: tuple[HistoryProof, ...]) -> tuple[tuple[Interval, HistoryProof], ...]:
    """Return by base interval the history that begins first, if any begins before the session."""
    deepest: dict[Interval, HistoryProof] = {}
    for proof in histories:
        if proof.start_ns < market.start_ns:
            known = deepest.setdefault(proof.need.base, proof)
            if proof.start_ns < known.start_ns:
                deepest[proof.need.base] = proof
    return tuple(deepest.items())


def _with_steps(read: Sequence[Bars], proof: HistoryProof, day: StoredDay) -> list[int]:
    """Return the indices of the bars that have an overnight step larger than `_NO_SPLIT`."""
    # Done for every symbol of every day: almost none has such a step, and most runs then import no checks.
    by_times: dict[BarTimes, list[int]] = {}
    for place, bars in enumerate(read):
        by_times.setdefault(bars.times, []).append(place)
    found: list[int] = []
    for times, places in by_times.items():
        before, after, _ = day.memo(_nights, day.market, times, proof.start_ns)
        opened = np.array([read[place].open.take(after) for place in places])
        closed = np.array([read[place].close.take(before) for place in places])
        stepped = (np.abs(closed - opened) > _NO_SPLIT * opened).any(axis=1)
        found += [places[n] for n in np.flatnonzero(stepped)]
    return found


def _likely_splits(bars: Bars, proof: HistoryProof, day: StoredDay) -> Iterator[tuple[str, str]]:
    """Iterate over the likely splits, each with its day and a warning."""
    from openbell.market_data.aggregate import aggregate
    from openbell.quality.splits import likely_splits

    market = day.market
    _, _, history = day.memo(_nights, market, bars.times, proof.start_ns)
    read = bars[history]
    grid = market.time_manager.grid(proof.first_session, market.day)
    if proof.need.interval.is_intraday:
        read = aggregate(read, grid, parse_interval("1d"), base=proof.need.interval)
    for finding in likely_splits(read, grid):
        when = f"{market.time_manager.day_of(finding.start_ns)}"
        yield (
            when,
            f"{finding.text} (on {when}); see `openbell data check`, declare it with openbell data import actions",
        )


def _nights(market: Market, times: BarTimes, start_ns: int) -> tuple[NDArray[np.intp], NDArray[np.intp], slice]:
    """Return the last row before each night and the first after it, and the rows of the history."""
    history = slice(int(times.timestamp.searchsorted(start_ns)), market.today_row(times))
    starts = market.sessions_from(market.time_manager.day_of(start_ns)).start_ns
    after = times.timestamp.searchsorted(starts)
    # np.unique does the same, but imports numpy.ma for it.
    after = after[np.diff(after, prepend=-1) > 0]
    after = after[(after > history.start) & (after < history.stop)]
    return after - 1, after, history


def price_warnings(
    needs: Iterable[IndicatorNeed], bars: Sequence[Mapping[str, Bars]], market: Market, now_ns: int
) -> list[tuple[str, ...]]:
    """Return per symbol the warnings about indicators of positive prices that read prices of 0 or below.

    Only bars that have closed by the session clock are checked.

    Args:
        needs: The indicators.
        bars: Per symbol by interval, the bars that were read for them.
        market: The exchange.
        now_ns: The session clock, nanoseconds since 1970 UTC.
    """
    concerned = [need for need in needs if need.indicator.positive_prices]
    names = list(dict.fromkeys(str(need.interval) for need in concerned))
    return [
        ()
        if all(_is_positive(read.get(name)) for name in names)
        else tuple(_of_symbol(concerned, read, market, now_ns))
        for read in bars
    ]


def _is_positive(bars: Bars | None) -> bool:
    return not bars or bool(bars.low.item(bars.low.argmin()) > 0)


def _of_symbol(needs: Iterable[IndicatorNeed], bars: Mapping[str, Bars], market: Market, now_ns: int) -> Iterator[str]:
    for need in needs:
        read = bars.get(str(need.interval))
        if read is None or _is_positive(read):
            continue
        low = read.low[: int(read.end.searchsorted(now_ns, side="right"))]
        rows = np.flatnonzero(low <= 0)
        if not len(rows):
            continue
        count = "1 bar has" if len(rows) == 1 else f"{len(rows):,} bars have"
        first, last = (market.time_manager.day_of(int(read.timestamp[row])) for row in rows[[0, -1]])
        when = f"on {first}" if first == last else f"from {first} to {last}"
        yield (
            f"{need.key} needs prices above 0, and {count} prices of 0 or below {when}: it has no value where it "
            "reads such bars"
        )
