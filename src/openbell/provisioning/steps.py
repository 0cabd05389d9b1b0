"""Phase 3, provision: the steps. Each is a plain name bound to a function that works on a private draft of the symbol.

A name that ends in ``_`` is registered for all steps that begin with it: ``add_interval_`` carries out
``add_interval_5m``. Adding a step is adding a function to `STEPS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from openbell import indicators
from openbell.bars import Bars
from openbell.data.gaps import has_synthetic
from openbell.errors import UnknownNameError
from openbell.indicators import IndicatorInputs
from openbell.indicators.inputs import regular_rows
from openbell.interval import parse_interval
from openbell.provisioning.history import measured_from, run_starts
from openbell.registry import Registry
from openbell.session import BarIntervalData, IndicatorData, SymbolSessionData
from openbell.session.series import whole_run

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from openbell.provisioning.requirements import HistoryProof, IndicatorNeed, ProvisioningRequirements
    from openbell.provisioning.world import World

__all__ = ["STEPS", "Step", "StepWork", "find_step"]


@dataclass(slots=True)
class StepWork:
    """What a step works on.

    Attributes:
        req: The requirement that is carried out.
        world: Where data comes from.
        draft: The symbol as it will be; nobody sees it before all steps are done. ``create_symbol`` makes it.
        argument: The rest of the step's name behind a registered prefix: "5m" of "add_interval_5m".
    """

    req: ProvisioningRequirements
    world: World
    draft: SymbolSessionData
    argument: str = ""


Step = Callable[[StepWork], None]

STEPS: Registry[Step] = Registry("provisioning step")
"""All steps by name or prefix; register more with ``STEPS.add(name, function)``."""


def find_step(name: str) -> tuple[Step, str]:
    """The function behind a step's name, and the argument that the name carries.

    Raises:
        UnknownNameError: No step of that name, and no prefix that it begins with.
    """
    if name in STEPS:
        return STEPS.get(name), ""
    prefixes = [p for p in STEPS.names() if p.endswith("_") and name.startswith(p)]
    if not prefixes:
        raise UnknownNameError(STEPS.kind, name, STEPS.names())
    prefix = max(prefixes, key=len)
    return STEPS.get(prefix), name[len(prefix) :]


def _create_symbol(work: StepWork) -> None:
    req, draft = work.req, work.draft
    if work.world.session_data.get_symbol_data(req.symbol) is not None:  # it came between analysis and now
        if req.meets_session_config_requirements and not draft.meets_session_config_requirements:
            _upgrade_symbol(work)
        return
    draft.meets_session_config_requirements = req.meets_session_config_requirements
    draft.added_by = req.added_by
    draft.auto_provisioned = req.operation_type != "symbol"
    draft.reason = req.reason


def _upgrade_symbol(work: StepWork) -> None:
    work.draft.meets_session_config_requirements = True
    work.draft.upgraded_from_adhoc = True


def _add_interval(work: StepWork) -> None:
    interval = str(parse_interval(work.argument))
    if interval in work.draft.bars:  # it came between analysis and now
        return
    need = work.req.intervals.get(interval)
    base = str(need.base) if need is not None and need.derived else None
    series = _series(work, interval, base, Bars.empty(), today_row=0)
    bars = {**work.draft.bars, interval: series}
    work.draft.bars = {name: bars[name] for name in sorted(bars, key=parse_interval)}


def _load_historical(work: StepWork) -> None:
    """Give each required interval its history, as far as it lacks it."""
    for name, run in _required_runs(work):
        held = work.draft.bars[name]
        rows = whole_run(held)
        if not len(rows):
            today_row = int(run.end.searchsorted(work.world.start_ns, side="right"))
            work.draft.put_series(_series(work, name, held.base, run[:today_row], today_row))
            continue
        # What is held stays as it is, also when the store has other bars by now: what was seen never changes.
        before = run[: int(run.timestamp.searchsorted(rows.timestamp[0]))]
        if len(before):
            deeper = Bars.concat([before, rows])
            work.draft.put_series(_series(work, name, held.base, deeper, held.today_row + len(before)))


def _load_session(work: StepWork) -> None:
    """Let each required interval's run go on through today's session, if it was not there before."""
    published = work.world.session_data.get_symbol_data(work.req.symbol)
    for name, run in _required_runs(work):
        seen = published.bars.get(name) if published else None
        if (seen is None or not len(whole_run(seen))) and len(run):
            today_row = int(run.end.searchsorted(work.world.start_ns, side="right"))
            work.draft.put_series(_series(work, name, work.draft.bars[name].base, run, today_row))


def _register_indicator(work: StepWork) -> None:
    for need in work.req.indicators:
        if need.key not in work.draft.indicators:
            work.draft.indicators[need.key] = _computed(need, work)


def _calculate_quality(work: StepWork) -> None:
    """Score every series of a full symbol against the bars that the calendar expects."""
    world, draft = work.world, work.draft
    for name, series in list(draft.bars.items()):
        if series.is_scored:
            continue
        interval = parse_interval(name)
        start_ns = measured_from(name, whole_run(series), work.req, world)
        first_session = world.time_manager.day_of(start_ns)
        scored = _series(work, name, series.base, whole_run(series), series.today_row)
        scored.score(world.expected_history(interval, start_ns, first_session), world.expected_today(interval))
        draft.put_series(scored)


STEPS.add("create_symbol", _create_symbol)
STEPS.add("upgrade_symbol", _upgrade_symbol)
STEPS.add("add_interval_", _add_interval)
STEPS.add("load_historical", _load_historical)
STEPS.add("load_session", _load_session)
STEPS.add("register_indicator", _register_indicator)
STEPS.add("calculate_quality", _calculate_quality)


def _series(work: StepWork, name: str, base: str | None, run: Bars, today_row: int) -> BarIntervalData:
    clock = work.world.time_manager.clock
    return BarIntervalData(work.req.symbol, name, base=base, run=run, today_row=today_row, clock=clock)


def _required_runs(work: StepWork) -> list[tuple[str, Bars]]:
    """The required intervals with their runs, from where they should start through today."""
    return [(name, _run_from(start, work.req.proofs[name], work)) for name, start in run_starts(work.req).items()]


def _run_from(start_ns: int, proof: HistoryProof, work: StepWork) -> Bars:
    """The bars from ``start_ns`` on through today: those that validation read, unless another need reaches further."""
    run = proof.run
    if not len(run) or run.timestamp[0] > start_ns:
        world, need = work.world, proof.need
        first_session = world.time_manager.day_of(start_ns)
        run = world.data_manager.load_historical_bars(
            work.req.symbol, str(need.interval), first_session, world.day, base=str(need.base)
        )
    return run[int(run.timestamp.searchsorted(start_ns)) :]


def _computed(need: IndicatorNeed, work: StepWork) -> IndicatorData:
    """The indicator over the whole run; one that is aware of sessions over the regular hours of whole sessions."""
    series = work.draft.bars[str(need.interval)]
    bars = whole_run(series)
    world = work.world
    first = world.time_manager.day_of(int(bars.timestamp[0])) if len(bars) else world.day
    if need.session_aware and len(bars):
        base = series.base or series.interval
        sessions = world.data_manager.load_historical_bars(series.symbol, series.interval, first, world.day, base=base)
        ahead = sessions[: int(sessions.timestamp.searchsorted(bars.timestamp[0]))]
        bars = Bars.concat([ahead, bars]) if len(ahead) else bars
    grid = world.time_manager.grid(first, world.day)
    # In extended hours, what a session's open, close or range is still follows the regular ones: such an indicator has
    # no value in the pre-market, and stands still in the post-market.
    extended = need.session_aware and not grid.segment_is_regular.all()
    regular = regular_rows(bars.timestamp, grid) if extended else None
    read = _both(_rows_to_read(bars, world), regular)
    inputs = IndicatorInputs.of(bars.take(read) if read is not None else bars, grid)
    computed = indicators.get(need.config.name).compute(inputs, need.params)
    if read is not None:
        computed = {name: _standing_still(column, read) for name, column in computed.items()}
    if regular is not None:
        before_open = IndicatorInputs.of(bars, grid).offset_ns < 0
        computed = {name: np.where(before_open, np.nan, column) for name, column in computed.items()}
    rows = slice(len(bars) - len(whole_run(series)), None)
    columns = {name: column[rows] for name, column in computed.items()}
    skipped = None if read is None else np.concatenate(([0], np.cumsum(~read[rows], dtype=np.int64)))
    return IndicatorData(
        need.key, series, columns, lookback=need.lookback_bars, settling=need.settling, skipped=skipped
    )


def _rows_to_read(bars: Bars, world: World) -> NDArray[np.bool_] | None:
    """Which bars an indicator reads, when it is to skip synthetic ones and there are some; None: all."""
    if world.config.session_data_config.indicators_see_filled or not has_synthetic(bars):
        return None
    return bars.count > 0


def _both(one: NDArray[np.bool_] | None, other: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
    return other if one is None else one if other is None else one & other


def _standing_still(column: NDArray[np.float64], read: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Values of the rows that were read, with each row between them at the value of the last one read before it."""
    if not read.any():
        return np.full(len(read), np.nan)
    last = np.cumsum(read) - 1
    return np.where(last >= 0, column[last], np.nan)
