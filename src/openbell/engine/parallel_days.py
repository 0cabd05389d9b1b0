"""Days of a run in parallel processes, reported in the order of the days."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from openbell.engine.observer import RunReporter
from openbell.engine.workers.worker_pool import TaskGivenUp, WorkerPool
from openbell.errors import ConfigError, commands_name_exchange
from openbell.model.events import ProvisioningRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
    from datetime import date

    from openbell.components.config_usage import ConfigUsage
    from openbell.config import SessionConfig
    from openbell.engine.coordinator import SessionCoordinator
    from openbell.engine.run_warnings import Note
    from openbell.model.address import Place
    from openbell.model.events import Event
    from openbell.results.result import DayResult

__all__ = ["DayOutcome", "days_side_by_side", "require_independent_days", "take_day"]

_CHUNKS_A_JOB = 4
"""Spans of days per process; several, so that no process waits long for another at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOutcome:
    """Outcome of a day in another process.

    Attributes:
        day: The session.
        result: Its result; None when the day raised, in which case the attributes below are empty.
        batches: Its events, batch by batch.
        notes: Its warnings, as `RunWarnings.add_notes` takes them.
        had_no_bars: Whether no symbol of the session had a bar.
        was_skipped: Whether no symbol could be provisioned.
        load_s: Seconds spent preparing the session.
        run_s: Seconds spent on the session from open to close.
        subscribed: Whether a strategy has subscribed to anything by its end, by name of those that can.
        usage: The keys of its config that a component has read by its end, by component.
        states: The states of strategies at its end, as JSON text.
    """

    day: date
    result: DayResult | None = None
    batches: Sequence[Sequence[Event]] = ()
    notes: Sequence[Note] = ()
    had_no_bars: bool = False
    was_skipped: bool = False
    load_s: float = 0.0
    run_s: float = 0.0
    subscribed: Mapping[str, bool]
    usage: Mapping[str, ConfigUsage]
    states: Mapping[str, str]

    def require_no_state(self) -> None:
        """Check that no strategy has written to its state.

        Raises:
            ConfigError: A strategy has.
        """
        for name, text in self.states.items():
            if text != "{}":
                raise ConfigError(
                    f"{name} keeps state, which it wrote in the session of {self.day}: the next session begins with "
                    "it, so sessions cannot run side by side. Run without --jobs."
                )


def require_independent_days(config: SessionConfig, *, keeps_bars: bool, watches_bars: bool) -> None:
    """Check that days of a config may run side by side, as far as that is known before the run.

    Args:
        config: The config.
        keeps_bars: Whether bars or indicators go to the run folder.
        watches_bars: Whether an observer receives bars.

    Raises:
        ConfigError: The days may not run side by side.
    """
    why = ""
    if config.execution is not None:
        why = "the config trades (execution), and its account lasts over sessions"
    elif keeps_bars:
        why = "bars and indicators of sessions are kept (--bars, --indicators), which other processes have"
    elif watches_bars:
        why = "an observer receives bars, which other processes have"
    if why:
        raise ConfigError(f"sessions cannot run side by side: {why}. Run without --jobs.")


class _Batches:
    """Keeps the events of a day in place of a run folder."""

    def __init__(self) -> None:
        self.batches: list[list[Event]] = []

    def write_events(self, events: Sequence[Event]) -> None:
        """Keep the events of one batch."""
        self.batches.append(list(events))


def days_side_by_side(
    config: SessionConfig, store: Place, days: Sequence[date], jobs: int
) -> Generator[DayOutcome, None, None]:
    """Run days in processes, and yield their outcomes in order, up to the first day that raises.

    Args:
        config: The config.
        store: The folder or address of the store.
        days: The sessions.
        jobs: How many processes at the most.
    """
    size = max(1, ceil(len(days) / (jobs * _CHUNKS_A_JOB)))
    chunks = [list(days[at : at + size]) for at in range(0, len(days), size)]
    workers: WorkerPool[list[date], list[DayOutcome]] = WorkerPool(_runner, (config, store), jobs)
    ready: dict[date, list[DayOutcome]] = {}
    due = deque(chunk[0] for chunk in chunks)
    with workers as pool:
        for chunk, answer in pool.run(chunks):
            ready[chunk[0]] = [_raised(chunk[0])] if isinstance(answer, TaskGivenUp) else answer
            while due and due[0] in ready:
                for outcome in ready.pop(due.popleft()):
                    yield outcome
                    if outcome.result is None:
                        return


def take_day(coordinator: SessionCoordinator, outcome: DayOutcome, result: DayResult) -> DayResult:
    """Report a session that was run in another process as if it had been run by a coordinator.

    Raises:
        ConfigError: A strategy has used its state.
        RunFolderError: The run folder can no longer be written.
    """
    outcome.require_no_state()
    reporter = coordinator.reporter
    reporter.day_started(outcome.day)
    coordinator.begin_day(outcome.day)
    for batch in outcome.batches:
        for event in batch:
            report = coordinator.journal.append if isinstance(event, ProvisioningRecord) else reporter.pending.append
            report(event)  # type: ignore[arg-type]  # each takes its own
        reporter.finish_batch()
    coordinator.warnings.add_notes(outcome.notes)
    coordinator.load_s += outcome.load_s
    coordinator.run_s += outcome.run_s
    for name, ever in outcome.subscribed.items():
        coordinator.has_subscribed[name] = ever or coordinator.has_subscribed.get(name, False)
    for name, usage in outcome.usage.items():
        coordinator.classes.usage.setdefault(name, usage).add(usage)
    if outcome.was_skipped:
        coordinator.days_skipped.append(outcome.day)
    if outcome.had_no_bars:
        coordinator.days_without_bars.append(outcome.day)
        reporter.warned(f"no symbol had a bar on {outcome.day}")
    reporter.day_ended(result, coordinator.session_data)
    return result


def _raised(day: date) -> DayOutcome:
    return DayOutcome(day=day, subscribed={}, usage={}, states={})


def _runner(config: SessionConfig, store: Place) -> Callable[[list[date]], list[DayOutcome]]:
    """Return a function that runs a span of days in a worker process."""
    from openbell.engine.system import SystemManager

    coordinator = SystemManager(config, store=store).coordinator

    def run(days: list[date]) -> list[DayOutcome]:
        with commands_name_exchange(config.exchange_option):
            return list(_run(coordinator, days))

    return run


def _run(coordinator: SessionCoordinator, days: list[date]) -> Iterator[DayOutcome]:
    """Run days up to the first that raises, which the main process then runs again."""
    events = _Batches()
    coordinator.begin_run(RunReporter(folder=events))
    coordinator.warnings.note_store()
    for day in days:
        load_s, run_s = coordinator.load_s, coordinator.run_s
        try:
            result = coordinator.run_day(day)
        except BaseException:  # noqa: BLE001 -- users' code may raise anything, and raises it again in the main process
            yield _raised(day)
            return
        batches, events.batches = events.batches, []
        yield DayOutcome(
            day=day,
            result=result,
            batches=batches,
            notes=coordinator.warnings.take_notes(),
            had_no_bars=day in coordinator.days_without_bars,
            was_skipped=day in coordinator.days_skipped,
            load_s=coordinator.load_s - load_s,
            run_s=coordinator.run_s - run_s,
            subscribed=dict(coordinator.has_subscribed),
            usage=coordinator.classes.usage,
            states=dict(coordinator.states),
        )
