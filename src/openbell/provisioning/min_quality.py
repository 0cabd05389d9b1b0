"""Validation rule of ``min_quality``, for the history that an addition asks for."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from openbell.errors import command_on
from openbell.market_data.aggregate import aggregate
from openbell.market_data.completeness import measure_completeness
from openbell.model.interval import parse_interval
from openbell.provisioning.context import Market
from openbell.provisioning.history_search import measured_from
from openbell.quality.score import CAP, doubtful_rows
from openbell.quality.splits import undeclared_splits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openbell.market_data.completeness import Completeness, Gap
    from openbell.model.bars import Bars
    from openbell.model.interval import Interval
    from openbell.provisioning.context import ProvisioningContext
    from openbell.provisioning.history_search import HistoryProof
    from openbell.quality.finding import Finding

__all__ = ["history_faults"]


def history_faults(
    symbol: str, histories: Mapping[str, HistoryProof], wanted: float, context: ProvisioningContext
) -> str | None:
    """Return the faults of a history whose quality is below ``wanted`` percent, else None.

    Every base interval is judged from where its history should begin up to the start of the session. Its quality is the
    share of the expected bars that are there and not in doubt, and at most half if there is an undeclared split. Bars
    of the session itself do not count, so that an addition at noon is judged as it would be before the open. Synthetic
    bars count as missing, built ones as present.
    """
    begins: dict[Interval, int] = {}
    for name, proof in histories.items():
        start_ns = measured_from(name, proof.start_ns, histories)
        begins[proof.need.base] = min(begins.get(proof.need.base, start_ns), start_ns)
    judged = [_judge(symbol, base, start_ns, context) for base, start_ns in begins.items()]
    bad = [found for found in judged if found is not None and found.percent < wanted]
    return " ".join(_reason(symbol, found, wanted, context) for found in bad) or None


class _Judgement(NamedTuple):
    """Quality of the history of one base interval."""

    base: Interval
    percent: float
    measured: Completeness
    doubtful: int
    splits: list[Finding]


def _judge(symbol: str, base: Interval, start_ns: int, context: ProvisioningContext) -> _Judgement | None:
    """Judge the history of a base interval from a time on (None if no bar is expected)."""
    market = context.market(symbol)
    first = market.time_manager.day_of(start_ns)
    expected, _ = context.memo(Market.expected, market, base, start_ns)
    bars = context.data_manager.load_historical_bars(symbol, str(base), first, market.day, base=str(base))
    past = bars[: market.today_row(bars.times)]
    real = past.take((past.count > 0) & np.isin(past.timestamp, expected.start_ns))
    measured = measure_completeness(
        real.timestamp, expected.start_ns, expected.end_ns, across_breaks=not base.is_intraday
    )
    if not measured.expected:
        return None
    doubtful = len(doubtful_rows(real, base))
    percent = 100.0 * (measured.present - doubtful) / measured.expected
    # Raw prices have the steps of splits on purpose.
    splits = [] if context.data_manager.adjustment == "raw" else _undeclared_splits(base, real, start_ns, market)
    return _Judgement(base, min(percent, CAP) if splits else percent, measured, doubtful, splits)


def _undeclared_splits(base: Interval, bars: Bars, start_ns: int, market: Market) -> list[Finding]:
    """Return the splits that adjusted bars still show."""
    grid = market.time_manager.grid(market.time_manager.day_of(start_ns), market.day)
    if base.is_intraday and len(bars):
        bars = aggregate(bars, grid, parse_interval("1d"), base=base)
    return undeclared_splits(bars, grid)


def _reason(symbol: str, found: _Judgement, wanted: float, context: ProvisioningContext) -> str:
    market, parts = context.market(symbol), []
    if missing := found.measured.expected - found.measured.present:
        longest = _when(max(found.measured.gaps, key=lambda g: g.missing), found.base, market)
        parts.append(f"{missing:,} of {found.measured.expected:,} bars are missing (the longest gap: {longest})")
    if found.doubtful:
        parts.append(f"{found.doubtful:,} are in doubt (spikes, or prices that stand still)")
    to_local = market.time_manager.to_local
    parts += [f"{split.text} (on {to_local(split.start_ns):%Y-%m-%d})" for split in found.splits]
    remedy = "declare the split with openbell data import actions" if found.splits else "import what is missing"
    check = command_on(f"data check {quote(symbol)}", context.data_manager.store.path)
    return (
        f"{symbol}: its {found.base} history is {found.percent:.2f} % good, session_data_config.min_quality is "
        f"{wanted:g} %: {', and '.join(parts)}. See `{check}`; {remedy}, or lower min_quality."
    )


def _when(gap: Gap, base: Interval, market: Market) -> str:
    start, end = market.time_manager.to_local(gap.start_ns), market.time_manager.to_local(gap.end_ns)
    if not base.is_intraday:
        return f"{start:%Y-%m-%d}" if gap.missing == 1 else f"{start:%Y-%m-%d} to {end:%Y-%m-%d}"
    return f"{start:%Y-%m-%d %H:%M:%S} to {end:%H:%M:%S}"
