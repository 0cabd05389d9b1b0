"""The rule of `min_quality`: is the history of a full symbol good enough, by what is known before its session?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from openbell.errors import command_on
from openbell.market_data.aggregate import aggregate
from openbell.market_data.completeness import measure_completeness
from openbell.model.interval import parse_interval
from openbell.provisioning.history import measured_from
from openbell.quality.score import CAP, doubtful_rows
from openbell.quality.splits import undeclared_splits

if TYPE_CHECKING:
    from datetime import date

    from openbell.market_data.completeness import Completeness, Gap
    from openbell.model.bars import Bars
    from openbell.model.interval import Interval
    from openbell.provisioning.context import ProvisioningContext
    from openbell.provisioning.requirements import ProvisioningRequirements
    from openbell.quality.finding import Finding

__all__ = ["history_is_good_enough"]


def history_is_good_enough(req: ProvisioningRequirements, context: ProvisioningContext) -> str | None:
    """What is too bad about the history that a full symbol asks for; None when nothing is, or nothing was asked for.

    Every base interval is judged from where its history should begin up to the start of the session: the share of the
    expected bars that are there and not in doubt, and no more than half when a split lies in it that nobody declared.
    Nothing of the session itself is looked at, so that an addition at
    noon gets the answer that it would have got before the open. Synthetic bars are missing ones; built ones are there.
    """
    wanted = context.config.session_data_config.min_quality
    if not wanted or not req.meets_session_config_requirements:
        return None
    texts = [_judged(req.symbol, base, start_ns, wanted, context) for base, start_ns in _begins(req, context).items()]
    return " ".join(text for text in texts if text) or None


def _begins(req: ProvisioningRequirements, context: ProvisioningContext) -> dict[Interval, int]:
    """By base interval, where the history that is asked of it begins, whether or not there are bars."""
    begins: dict[Interval, int] = {}
    for name, proof in req.proofs.items():
        run = proof.run[int(proof.run.timestamp.searchsorted(proof.start_ns)) :]
        start_ns = measured_from(name, run, req, context)
        begins[proof.need.base] = min(begins.get(proof.need.base, start_ns), start_ns)
    return begins


def _judged(symbol: str, base: Interval, start_ns: int, wanted: float, context: ProvisioningContext) -> str | None:
    first = context.time_manager.day_of(start_ns)
    expected, _ = context.expected(base, start_ns)
    bars = context.data_manager.load_historical_bars(symbol, str(base), first, context.day, base=str(base))
    past = bars[: int(bars.end.searchsorted(context.start_ns, side="right"))]
    real = past.take((past.count > 0) & np.isin(past.timestamp, expected.start_ns))
    measured = measure_completeness(
        real.timestamp, expected.start_ns, expected.end_ns, across_breaks=not base.is_intraday
    )
    if not measured.expected:
        return None
    doubtful = len(doubtful_rows(real, base))
    percent = 100.0 * (measured.present - doubtful) / measured.expected
    splits = _undeclared_splits(base, real, first, context)
    if splits:
        percent = min(percent, CAP)
    return None if percent >= wanted else _reason(symbol, base, percent, wanted, measured, doubtful, splits, context)


def _undeclared_splits(base: Interval, bars: Bars, first: date, context: ProvisioningContext) -> list[Finding]:
    """Splits that adjusted bars still show; raw ones are asked for with all their steps."""
    if context.data_manager.adjustment == "raw":
        return []
    grid = context.time_manager.grid(first, context.day)
    if base.is_intraday and len(bars):
        bars = aggregate(bars, grid, parse_interval("1d"), base=base)
    return undeclared_splits(bars, grid)


def _reason(
    symbol: str,
    base: Interval,
    percent: float,
    wanted: float,
    measured: Completeness,
    doubtful: int,
    splits: list[Finding],
    context: ProvisioningContext,
) -> str:
    missing = measured.expected - measured.present
    parts = [f"{missing:,} of {measured.expected:,} bars are missing"] if missing else []
    if missing:
        parts[0] += f" (the longest gap: {_when(max(measured.gaps, key=lambda g: g.missing), base, context)})"
    if doubtful:
        parts.append(f"{doubtful:,} are in doubt (spikes, or prices that stand still)")
    parts += [f"{found.text} (on {context.time_manager.to_local(found.start_ns):%Y-%m-%d})" for found in splits]
    remedy = "declare the split with openbell data import actions" if splits else "import what is missing"
    check = command_on(f"data check {symbol}", context.data_manager.store.path)
    return (
        f"{symbol}: its {base} history is {percent:.2f} % good, session_data_config.min_quality is {wanted:g} %: "
        f"{', and '.join(parts)}. See `{check}`; {remedy}, or lower min_quality."
    )


def _when(gap: Gap, base: Interval, context: ProvisioningContext) -> str:
    start, end = context.time_manager.to_local(gap.start_ns), context.time_manager.to_local(gap.end_ns)
    if not base.is_intraday:
        return f"{start:%Y-%m-%d}" if gap.missing == 1 else f"{start:%Y-%m-%d} to {end:%Y-%m-%d}"
    return f"{start:%Y-%m-%d %H:%M:%S} to {end:%H:%M:%S}"
