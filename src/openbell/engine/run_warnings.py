"""Warnings about a run, before it and while it runs."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from openbell.components.universes import load_universe
from openbell.config.gap_policy import symbols_named
from openbell.errors import CalendarError, did_you_mean
from openbell.model.interval import parse_interval
from openbell.provisioning import Addition, ProvisioningContext, RunScope
from openbell.provisioning.analysis import analyze
from openbell.quality.calendar_fit import bars_beyond_calendar, first_stored_day, questions_of_calendar
from openbell.quality.other_exchange_hours import symbols_of_other_hours
from openbell.session import SessionData

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    from openbell.components.configured import ConfiguredStrategy
    from openbell.config import ExecutionConfig, SessionConfig
    from openbell.engine.observer import RunReporter
    from openbell.market_data.data_manager import DataManager, StoreState
    from openbell.store.store import BarStore
    from openbell.timing import TimeManager

__all__ = [
    "Note",
    "RunWarnings",
    "futures_without_terms",
    "no_bar_closes",
    "streams_without_bars",
    "subscription_without_bars",
    "subscriptions_without_bars",
    "unknown_to_the_store",
    "warnings_before_run",
]

Note = tuple[tuple[str, str] | None, str | None]
"""A strategy and interval that was subscribed to for the first time, or None, and the text of the warning, or None."""


class RunWarnings:
    """Warnings of one run, each reported as it happens.

    Args:
        reporter: Receives the warnings.
        time_manager: The calendar.
        data_manager: Where bars come from.
        last: The last session of the run.

    Attributes:
        texts: All warnings so far.
    """

    def __init__(self, reporter: RunReporter, time_manager: TimeManager, data_manager: DataManager, last: date) -> None:
        self.texts: list[str] = []
        self._notes: list[Note] = []
        self._reporter = reporter
        self._time_manager = time_manager
        self._data_manager = data_manager
        self._last = last
        self._subscribed: set[tuple[str, str]] = set()
        self._state: StoreState | None = None
        self._read: set[str] = set()

    def take_notes(self) -> list[Note]:
        """Return the notes since the last call, for the main process of the run."""
        taken, self._notes = self._notes, []
        return taken

    def add_notes(self, notes: Iterable[Note]) -> None:
        """Report the notes of another process, except on subscriptions that are known already."""
        for first, text in notes:
            if first is None or first not in self._subscribed:
                self._note(first, text)

    def warn(self, text: str) -> None:
        """Report a warning."""
        self._note(None, text)

    def _note(self, first: tuple[str, str] | None, text: str | None) -> None:
        self._notes.append((first, text))
        if first is not None:
            self._subscribed.add(first)
        if text is None:
            return
        self.texts.append(text)
        self._reporter.warned(text)

    def note_subscriptions(self, name: str, pairs: Sequence[tuple[str, str]], day: date) -> None:
        """Warn of new subscriptions of a strategy to intervals of which no bar closes in the run."""
        for interval in dict.fromkeys(interval for _, interval in pairs):
            if (name, interval) in self._subscribed:
                continue
            late = subscription_without_bars(name, interval, pairs, self._time_manager, day, self._last)
            self._note((name, interval), late or None)

    def note_store(self) -> None:
        """Record the state of the store at the beginning of the run."""
        self._state = self._data_manager.state()

    def note_changes(self, day: date, symbols: Iterable[str]) -> None:
        """Warn if the store was changed since the last call, for symbols that the run has had.

        Args:
            day: The session that has just been run.
            symbols: Its symbols.
        """
        if self._state is None:
            return
        self._read.update(symbols)
        if self._data_manager.state().is_same_as(self._state):
            return
        changed = self._data_manager.changes_since(self._state, day, self._read)
        self._state = self._data_manager.state()
        if changed:
            self.warn(
                f"the store was changed while {day} was run: {', '.join(changed)}. What is added later, and later "
                "sessions, are of the new state. To run on one state, run again when nothing is imported."
            )


def warnings_before_run(
    config: SessionConfig, time_manager: TimeManager, data_manager: DataManager, days: Sequence[date]
) -> tuple[str, ...]:
    """Return the warnings about calendar, data and config that are known before a run of these days.

    They are: the calendar ends before the data, or has a session on which no symbol of the config has bars; most bars
    of a symbol lie outside the session hours; a symbol has its own gap policy and no bars; no bar of a stream closes
    within these days; a benchmark or instrument is not in the store; a future has no contract terms.
    """
    symbols = config.session_data_config.symbols
    stored = first_stored_day(data_manager.store, time_manager, symbols) or days[0]
    history = _first_day_of_history(config, time_manager, data_manager, days[0])
    begin = min(days[0], max(history, stored))
    known = data_manager.store, time_manager
    return (
        *data_manager.on_day(days[0]).remembered(_calendar_warnings, known, tuple(symbols), begin, days[-1]),
        *_unknown_gap_policies(config, data_manager, days),
        *futures_without_terms(config, time_manager),
        *unknown_to_the_store(config, data_manager, days),
        *streams_without_bars(config, time_manager, days),
    )


def _calendar_warnings(
    known: tuple[BarStore, TimeManager], symbols: tuple[str, ...], first: date, last: date
) -> tuple[str, ...]:
    """Return the warnings that follow from the calendar and the stored bars alone."""
    store, time_manager = known
    return (
        *bars_beyond_calendar(store, time_manager, symbols),
        *questions_of_calendar(store, time_manager, symbols, first, last),
        *symbols_of_other_hours(store, time_manager, symbols, first, last),
    )


def _first_day_of_history(
    config: SessionConfig, time_manager: TimeManager, data_manager: DataManager, day: date
) -> date:
    """Return the first day of the history that a session's config needs, by the calendar."""
    context = ProvisioningContext(RunScope(config), time_manager, data_manager.on_day(day), SessionData(day))
    symbols = config.session_data_config.symbols
    # The needs of symbols differ only by the intervals that the store has of them.
    one = next(filter(context.stored_intervals, symbols), symbols[0])
    first = day
    for need in analyze(Addition("symbol", one, "config"), context).intervals.values():
        with suppress(CalendarError):
            first = min(first, context.market(one).calendar_start(need))
    return first


def _unknown_gap_policies(config: SessionConfig, data_manager: DataManager, days: Sequence[date]) -> list[str]:
    policies = config.session_data_config.gap_policy
    if isinstance(policies, str):  # the usual case
        return []
    return [
        f"session_data_config.gap_policy names {name}, of which the store has no bars."
        f"{data_manager.hint(name, days[0])}"
        for name in symbols_named(policies)
        if not any(data_manager.available_intervals(name, day) for day in {days[0], days[-1]})
    ]


def no_bar_closes(interval: str, time_manager: TimeManager, first: date, last: date) -> str:
    """Return the warning that no bar of an interval closes in a run (empty when one does)."""
    step = parse_interval(interval)
    if step.is_intraday:
        return ""
    end_ns = int(time_manager.grid(first, last).expected_bars(step).end_ns[0])
    if end_ns <= time_manager.session(last).last_ns:
        return ""
    return (
        f"no {interval} bar closes from {first} to {last}; the running one closes on {time_manager.day_of(end_ns)}. "
        "Set a later end_date, or take it out."
    )


def streams_without_bars(config: SessionConfig, time_manager: TimeManager, days: Sequence[date]) -> Iterator[str]:
    """Iterate over warnings about streams of which no bar closes within the run."""
    for name in config.session_data_config.streams:
        if late := no_bar_closes(name, time_manager, days[0], days[-1]):
            yield f"session_data_config.streams names {name}, and {late}"


def subscription_without_bars(
    name: str, interval: str, pairs: Iterable[tuple[str, str]], time_manager: TimeManager, first: date, last: date
) -> str:
    """Return the warning that no bar of a subscribed interval closes (empty when one does)."""
    late = no_bar_closes(interval, time_manager, first, last)
    symbols = " and ".join(symbol for symbol, other in pairs if other == interval)
    return f"{name} subscribes to {interval} bars of {symbols}, and {late}" if late else ""


def subscriptions_without_bars(
    strategies: Iterable[ConfiguredStrategy], config: SessionConfig, time_manager: TimeManager, days: Sequence[date]
) -> Iterator[str]:
    """Iterate over warnings about subscriptions, as far as they are known before a session."""
    # Imported here, because only `check` and `plan` need it.
    from openbell.engine.declared_requirements import subscribed_before_session

    for strategy in strategies:
        pairs = subscribed_before_session(strategy, config, time_manager)
        for interval in dict.fromkeys(interval for _, interval in pairs):
            if late := subscription_without_bars(strategy.name, interval, pairs, time_manager, days[0], days[-1]):
                yield late


_MOST_NAMES = 3


def futures_without_terms(config: SessionConfig, time_manager: TimeManager) -> list[str]:
    """Return a warning about futures of the config without contract terms, whose orders will be rejected."""
    if config.execution is None:
        return []
    from openbell.execution.orders.exchange_rules import trades_futures

    if not trades_futures(time_manager):
        return []
    terms = config.execution.instruments
    missing = [symbol for symbol in config.session_data_config.symbols if symbol not in terms]
    if not missing:
        return []
    more = len(missing) - _MOST_NAMES
    shown = ", ".join(missing[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
    remedy = f"Add execution.instruments: {{{missing[0]}: {{multiplier: ..., tick: ..., margin: ...}}}}"
    return [f"orders of {shown} will be rejected: on a calendar of futures each symbol needs its terms. {remedy}"]


def unknown_to_the_store(config: SessionConfig, data_manager: DataManager, days: Sequence[date]) -> list[str]:
    """Return warnings about a benchmark and instruments of which the store has no bars."""
    execution = config.execution
    if execution is None:
        return []
    return [
        f"{place}, of which the store has no bars.{_near(symbol, config) or data_manager.hint(symbol, days[0])}"
        for place, symbol in _named(execution)
        if not any(data_manager.available_intervals(symbol, day) for day in {days[0], days[-1]})
    ]


def _named(execution: ExecutionConfig) -> Iterator[tuple[str, str]]:
    if execution.benchmark is not None:
        yield f"execution.benchmark is {execution.benchmark}", execution.benchmark
    for symbol in execution.instruments:
        yield f"execution.instruments names {symbol}", symbol


def _near(symbol: str, config: SessionConfig) -> str:
    """Return a question that names similar symbols of the config and its universes, or an empty text."""
    known: Iterable[str] = (
        *config.session_data_config.symbols,
        *(name for scanner in config.scanners for name in load_universe(scanner.universe, config.folder)),
    )
    return did_you_mean(symbol, known)
