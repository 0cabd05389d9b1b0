"""Phase 3, provision: the steps. Each is a plain name bound to a function that works on a private draft of the symbol.

A name that ends in ``_`` is registered for all steps that begin with it: ``add_interval_`` carries out
``add_interval_5m``. Adding a step is adding a function to `STEPS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openbell.errors import UnknownNameError
from openbell.market_data.completeness import measure_completeness
from openbell.model.bars import Bars
from openbell.model.interval import parse_interval
from openbell.provisioning.history import measured_from, run_starts
from openbell.provisioning.indicators import computed_indicators
from openbell.registry import Registry
from openbell.session import BarIntervalData, SymbolSessionData
from openbell.session.series import all_bars, real_starts

if TYPE_CHECKING:
    from openbell.market_data.completeness import Completeness
    from openbell.provisioning.context import ProvisioningContext
    from openbell.provisioning.requirements import HistoryProof, ProvisioningRequirements
    from openbell.timing.expected import ExpectedBars

__all__ = ["STEPS", "Step", "StepWork", "find_step"]


@dataclass(slots=True)
class StepWork:
    """What a step works on.

    Attributes:
        req: The requirement that is carried out.
        context: Where data comes from.
        draft: The symbol as it will be; nobody sees it before all steps are done. ``create_symbol`` makes it.
        argument: The rest of the step's name behind a registered prefix: "5m" of "add_interval_5m".
    """

    req: ProvisioningRequirements
    context: ProvisioningContext
    draft: SymbolSessionData
    argument: str = ""
    _runs: list[tuple[str, Bars]] | None = None

    def runs(self) -> list[tuple[str, Bars]]:
        """The required intervals with their runs, from where they should start through today."""
        if self._runs is None:
            starts = run_starts(self.req)
            self._runs = [(name, _run_from(start_ns, self.req.proofs[name], self)) for name, start_ns in starts.items()]
        return self._runs


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
    end = len(name)
    while (end := name.rfind("_", 0, end)) >= 0:  # the longest prefix first
        prefix = name[: end + 1]
        if prefix in STEPS:
            return STEPS.get(prefix), name[end + 1 :]
    raise UnknownNameError(STEPS.kind, name, STEPS.names())


def _create_symbol(work: StepWork) -> None:
    req, draft = work.req, work.draft
    if work.context.session_data.get_symbol_data(req.symbol) is not None:  # it came between analysis and now
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
    interval, bars = str(parse_interval(work.argument)), work.draft.bars
    if interval in bars:  # it came between analysis and now
        return
    need = work.req.intervals.get(interval)
    base = str(need.base) if need is not None and need.derived else None
    bars[interval] = _series(work, interval, base, Bars.empty(), today_row=0)
    work.draft.bars = dict(sorted(bars.items(), key=lambda held: parse_interval(held[0])))


def _load_historical(work: StepWork) -> None:
    """Give each required interval its history, as far as it lacks it."""
    for name, run in work.runs():
        held = work.draft.bars[name]
        rows = all_bars(held)
        if not len(rows):
            today_row = work.context.today_row(run.times)
            work.draft.put_series(_series(work, name, held.base, run.window(0, today_row), today_row))
            continue
        # What is held stays as it is, also when the store has other bars by now: what was seen never changes.
        before = run[: int(run.timestamp.searchsorted(rows.timestamp[0]))]
        if len(before):
            deeper = Bars.concat([before, rows])
            work.draft.put_series(_series(work, name, held.base, deeper, held.today_row + len(before)))


def _load_session(work: StepWork) -> None:
    """Let each required interval's run go on through today's session, if it was not there before."""
    published = work.context.session_data.get_symbol_data(work.req.symbol)
    for name, run in work.runs():
        seen = published.bars.get(name) if published else None
        if (seen is None or not len(all_bars(seen))) and len(run):
            today_row = work.context.today_row(run.times)
            work.draft.put_series(_series(work, name, work.draft.bars[name].base, run, today_row))


def _register_indicator(work: StepWork) -> None:
    draft = work.draft
    new = [need for need in work.req.indicators if need.key not in draft.indicators]
    draft.indicators.update(computed_indicators(new, draft.bars, work.context))


def _calculate_quality(work: StepWork) -> None:
    """Score every series of a full symbol against the bars that the calendar expects."""
    context, draft = work.context, work.draft
    published = context.session_data.get_symbol_data(draft.symbol)
    for name in list(draft.bars):
        if draft.bars[name].is_scored:
            continue
        if published and published.bars.get(name) is draft.bars[name]:  # what is published is never changed
            draft.put_series(draft.bars[name].unscored())
        series = draft.bars[name]
        start_ns = measured_from(name, all_bars(series), work.req, context)
        series.score(*_quality_of_history(series, start_ns, context))


def _quality_of_history(
    series: BarIntervalData, start_ns: int, context: ProvisioningContext
) -> tuple[Completeness, ExpectedBars]:
    """How complete a series is before today, counted from ``start_ns``, and what is expected of it today."""

    def measured() -> tuple[Completeness, ExpectedBars]:
        expected, today = context.expected(parse_interval(series.interval), start_ns)
        return measure_completeness(real_starts(series.history.times), expected.start_ns, expected.end_ns), today

    return context.once("quality", series.interval, all_bars(series).times, start_ns, answer=measured)


STEPS.add("create_symbol", _create_symbol)
STEPS.add("upgrade_symbol", _upgrade_symbol)
STEPS.add("add_interval_", _add_interval)
STEPS.add("load_historical", _load_historical)
STEPS.add("load_session", _load_session)
STEPS.add("register_indicator", _register_indicator)
STEPS.add("calculate_quality", _calculate_quality)


def _series(work: StepWork, name: str, base: str | None, run: Bars, today_row: int) -> BarIntervalData:
    cursor = work.context.cursor(run.times)
    return BarIntervalData(work.req.symbol, name, base=base, bars=run, today_row=today_row, cursor=cursor)


def _run_from(start_ns: int, proof: HistoryProof, work: StepWork) -> Bars:
    """The bars from ``start_ns`` on through today: those that validation read, unless another need reaches further."""
    run = proof.run
    if not len(run) or run.timestamp[0] > start_ns:
        context, need = work.context, proof.need
        first_session = context.time_manager.day_of(start_ns)
        run = context.data_manager.load_historical_bars(
            work.req.symbol, str(need.interval), first_session, context.day, base=str(need.base)
        )
    row = work.context.once("row", run.times, start_ns, answer=lambda: int(run.timestamp.searchsorted(start_ns)))
    return run.window(row, len(run))
