"""Phase 3 of an addition, its plan and the steps that carry it out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from openbell.errors import ProvisioningError
from openbell.model.bars import Bars
from openbell.model.interval import parse_interval
from openbell.provisioning.bars_to_load import StoredReach, bars_to_load, quality_of_history
from openbell.provisioning.context import Market
from openbell.provisioning.history_search import measured_from
from openbell.provisioning.indicator_values import computed_indicators
from openbell.provisioning.validation import Proof
from openbell.registry import Registry
from openbell.session import BarIntervalData, SymbolSessionData
from openbell.session.block import SeriesBlock
from openbell.session.series import all_bars, score, whole_from

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from openbell.model.bars import BarTimes
    from openbell.provisioning.bars_to_load import LoadedBars
    from openbell.provisioning.context import ProvisioningContext
    from openbell.provisioning.needs import Addition, Needs
    from openbell.session.symbol import SymbolDraft

__all__ = [
    "STEPS",
    "AddInterval",
    "CalculateQuality",
    "Plan",
    "Step",
    "StepWork",
    "planned_steps",
    "steps_of_new_symbol",
]


class Step(Protocol):
    """Step of a plan, as a frozen value that can carry itself out."""

    @property
    def name(self) -> str:
        """The name by which the journal reports it."""

    def carry_out(self, work: StepWork) -> None:
        """Change the draft.

        An exception discards the draft, and with it the whole plan.
        """


STEPS: Registry[Callable[..., Step]] = Registry("provisioning step")
"""All steps by name; a name that ends in ``_`` is a prefix, and its class gets the rest of a step's name.

Only steps that are looked up by name have to be here; register more with ``STEPS.add(name, step_class)``.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Addition with its needs, its proof and its steps.

    Attributes:
        addition: What was asked for.
        needs: What it takes.
        proof: The result of its validation.
        steps: The steps, in order; empty when there are errors or when everything is there.
        symbol_exists: Whether the session held the symbol when this was planned.
        added_by: The source, as a symbol that is made by the plan names it.
        reason: Why it was asked for, for people.
        day: The session's day that it was made for; None when it was not analysed.
    """

    addition: Addition
    needs: Needs
    proof: Proof = field(default_factory=Proof)
    steps: tuple[Step, ...] = ()
    symbol_exists: bool = False
    added_by: str = "adhoc"
    reason: str = ""
    day: date | None = None

    @property
    def symbol(self) -> str:
        """The symbol."""
        return self.addition.symbol


@dataclass(slots=True)
class StepWork:
    """Plan, context and draft that a step works on.

    Attributes:
        plan: The plan that is carried out.
        context: Where data comes from.
        draft: The private copy of the symbol, published when all steps are done.
    """

    plan: Plan
    context: ProvisioningContext
    draft: SymbolDraft
    _loaded: Mapping[str, LoadedBars] | None = None

    def loaded(self) -> Mapping[str, LoadedBars]:
        """Return the bars of the needed intervals, from where their series should start through today."""
        if self._loaded is None:
            self._loaded = bars_to_load(self.plan.symbol, self.plan.proof, self.context)
        return self._loaded

    def series(
        self, interval: str, base: str | None, bars: Bars, today_row: int, begins_ns: int | None = None
    ) -> BarIntervalData:
        """Make a series of the symbol, which has all stored bars from ``begins_ns`` (by default today's) on."""
        symbol, context = self.plan.symbol, self.context
        day = context.stored_day(symbol)
        cursor = context.cursor(bars.times)
        begins_ns = day.market.start_ns if begins_ns is None else begins_ns
        histories = self.plan.proof.histories
        reach = StoredReach(interval, begins_ns, bars.times, today_row, histories, day)
        return BarIntervalData(symbol, interval, base=base, bars=bars, today_row=today_row, cursor=cursor, reach=reach)

    def whole_from(self, interval: str, begins_ns: int) -> int:
        """Return the time from which a loaded series has all stored bars, nanoseconds since 1970 UTC."""
        return measured_from(interval, begins_ns, self.plan.proof.histories)

    def joined_times(self, bars: Bars, first: int, rows: Bars) -> BarTimes | None:
        """Return the times of loaded bars if from row ``first`` on they are those of ``rows``, else None.

        With them, symbols with the same times still have one object for these after bars are joined.
        """
        return bars.times if self.context.memo(_goes_on_as, bars.times, first, rows.times) else None

    def today_row(self, bars: Bars) -> int:
        """Return the row of the first bar of today."""
        return self.context.stored_day(self.plan.symbol).by_times(Market.today_row, bars.times)


def _goes_on_as(times: BarTimes, first: int, others: BarTimes) -> bool:
    return times.window(first, len(times)).equal(others)


@dataclass(frozen=True, slots=True)
class CreateSymbol:
    """Note on a new symbol where it comes from."""

    name = "create_symbol"

    def carry_out(self, work: StepWork) -> None:
        """Fill in the draft."""
        plan, draft = work.plan, work.draft
        # The symbol may have been added between planning and now.
        if work.context.session_data.get_symbol_data(plan.symbol) is not None:
            if plan.needs.full_symbol and not draft.meets_session_config_requirements:
                UpgradeSymbol().carry_out(work)
            return
        draft.meets_session_config_requirements = plan.needs.full_symbol
        draft.added_by = plan.added_by
        draft.auto_provisioned = plan.addition.operation_type != "symbol"
        draft.reason = plan.reason


@dataclass(frozen=True, slots=True)
class UpgradeSymbol:
    """Make an ad-hoc symbol full."""

    name = "upgrade_symbol"

    def carry_out(self, work: StepWork) -> None:
        """Mark the draft as full."""
        work.draft.meets_session_config_requirements = True
        work.draft.upgraded_from_adhoc = True


@dataclass(frozen=True, slots=True)
class AddInterval:
    """Add a series for bars of one interval."""

    interval: str

    @property
    def name(self) -> str:
        """The name, e.g. "add_interval_5m"."""
        return f"add_interval_{self.interval}"

    def carry_out(self, work: StepWork) -> None:
        """Add an empty series, unless it came between planning and now."""
        interval, held = str(parse_interval(self.interval)), work.draft.bars
        if interval in held:
            return
        if interval not in work.plan.proof.histories:
            raise ProvisioningError(
                f"it was not checked whether the store has {interval} bars of {work.plan.symbol}. "
                "None would be loaded: name the interval among the needs, and let analyze_requirements prove it"
            )
        need = work.plan.needs.intervals.get(interval)
        base = None if need is None or need.base == need.interval else str(need.base)
        added = {**held, interval: work.series(interval, base, Bars.empty(), today_row=0)}
        work.draft.bars = {name: added[name] for name in sorted(added, key=parse_interval)}


@dataclass(frozen=True, slots=True)
class LoadHistorical:
    """Give each needed interval the history that it does not have yet."""

    name = "load_historical"

    def carry_out(self, work: StepWork) -> None:
        """Put history before what is held."""
        # A series without bars gets history and session at once in `LoadSession`, if that follows.
        session_follows = any(type(step) is LoadSession for step in work.plan.steps)
        # Bars that are there stay: what was visible in a session never changes.
        for name, (bars, begins_ns) in work.loaded().items():
            held = work.draft.bars[name]
            rows = all_bars(held)
            if not len(rows):
                if not session_follows:
                    today_row = work.today_row(bars)
                    work.draft.put_series(work.series(name, held.base, bars.window(0, today_row), today_row, begins_ns))
                continue
            first = int(bars.timestamp.searchsorted(rows.timestamp[0]))
            if first or whole_from(held) > work.whole_from(name, begins_ns):
                before, times = bars.window(0, first), work.joined_times(bars, first, rows)
                deeper = bars if bars.ends_with(rows, first) else Bars.concat([before, rows], times) if first else rows
                work.draft.put_series(work.series(name, held.base, deeper, held.today_row + first, begins_ns))


@dataclass(frozen=True, slots=True)
class LoadSession:
    """Load today's bars of the needed series."""

    name = "load_session"

    def carry_out(self, work: StepWork) -> None:
        """Load history and today's bars of the series that were not there before."""
        published = work.context.session_data.get_symbol_data(work.plan.symbol)
        for name, (bars, begins_ns) in work.loaded().items():
            seen = published.bars.get(name) if published else None
            if seen is None or (len(bars) and not len(all_bars(seen))):
                base = work.draft.bars[name].base
                work.draft.put_series(work.series(name, base, bars, work.today_row(bars), begins_ns))


@dataclass(frozen=True, slots=True)
class RegisterIndicator:
    """Compute the needed indicators that are not there yet."""

    name = "register_indicator"

    def carry_out(self, work: StepWork) -> None:
        """Compute them over history and all of today."""
        draft = work.draft
        if not work.plan.needs.indicators:
            raise ProvisioningError("no indicator is among the needs; let analyze_requirements find them")
        new = [need for need in work.plan.needs.indicators if need.key not in draft.indicators]
        series = {str(need.interval): SeriesBlock.of(draft.bars[str(need.interval)]) for need in new}
        for key, block in computed_indicators(new, [draft.symbol], series, work.context).items():
            draft.indicators[key] = block.indicator(draft.bars[block.interval], 0)


@dataclass(frozen=True, slots=True)
class CalculateQuality:
    """Score every series of a full symbol against the bars that the calendar expects."""

    name = "calculate_quality"

    def carry_out(self, work: StepWork) -> None:
        """Score the series that are not scored yet."""
        context, draft = work.context, work.draft
        day, published = context.stored_day(draft.symbol), context.session_data.get_symbol_data(draft.symbol)
        for name in list(draft.bars):
            if draft.bars[name].is_scored:
                continue
            if published and published.bars.get(name) is draft.bars[name]:  # a published series is never changed
                draft.put_series(draft.bars[name].unscored())
            series = draft.bars[name]
            times, today_row = all_bars(series).times, series.today_row
            begins_ns = int(times.timestamp[0]) if today_row else day.market.start_ns
            start_ns = measured_from(name, begins_ns, work.plan.proof.histories)
            interval = parse_interval(series.interval)
            score(series, *day.by_times(quality_of_history, interval, times, today_row, start_ns))


STEPS.add("create_symbol", CreateSymbol)
STEPS.add("upgrade_symbol", UpgradeSymbol)
STEPS.add("add_interval_", AddInterval)
STEPS.add("load_historical", LoadHistorical)
STEPS.add("load_session", LoadSession)
STEPS.add("register_indicator", RegisterIndicator)
STEPS.add("calculate_quality", CalculateQuality)


def planned_steps(symbol: str, needs: Needs, proof: Proof, context: ProvisioningContext) -> tuple[Step, ...]:
    """Return the steps from what the session holds to what is needed."""
    existing = context.session_data.get_symbol_data(symbol)
    if existing is None:
        return context.memo(steps_of_new_symbol, needs)
    return _steps(existing, needs, deeper=_begins_too_late(existing, proof, context))


def steps_of_new_symbol(needs: Needs) -> tuple[Step, ...]:
    """Return the steps from nothing to what is needed."""
    return (CreateSymbol(), *_steps(SymbolSessionData("", needs.full_symbol), needs, deeper=False))


def _steps(existing: SymbolSessionData, needs: Needs, *, deeper: bool) -> tuple[Step, ...]:
    """Return the steps from a symbol to what is needed, with deeper history where it begins too late."""
    steps: list[Step] = []
    upgrade = needs.full_symbol and not existing.meets_session_config_requirements
    if upgrade:
        steps.append(UpgradeSymbol())
    new = [name for name in needs.intervals if name not in existing.bars]
    steps += [AddInterval(name) for name in new]
    if (new and needs.needs_historical) or deeper:
        steps.append(LoadHistorical())
    if new or deeper:
        steps.append(LoadSession())
    if any(need.key not in existing.indicators for need in needs.indicators):
        steps.append(RegisterIndicator())
    if (needs.full_symbol or existing.meets_session_config_requirements) and (upgrade or new or deeper):
        steps.append(CalculateQuality())
    return (*steps, *needs.steps)


def _begins_too_late(existing: SymbolSessionData, proof: Proof, context: ProvisioningContext) -> bool:
    """Return whether a series that is there begins after it should, or is empty although there are bars."""
    if not any(name in proof.histories for name in existing.bars):
        return False
    for name, (bars, begins_ns) in bars_to_load(existing.symbol, proof, context).items():
        held = existing.bars.get(name)
        if held is None:
            continue
        rows = all_bars(held)
        if len(bars) and (not len(rows) or rows.timestamp[0] > bars.timestamp[0]):
            return True
        if whole_from(held) > measured_from(name, begins_ns, proof.histories):
            return True
    return False
