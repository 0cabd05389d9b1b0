"""Observers of a run, and the reporter that passes events to them and to the run folder."""

from __future__ import annotations

from traceback import format_exc
from typing import TYPE_CHECKING, Protocol

from openbell.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from openbell.model.bars import Bar
    from openbell.model.cash_flow import CashFlow
    from openbell.model.events import Event, ProvisioningRecord, ScanEvent, SignalEvent, StateEvent
    from openbell.model.fill import Fill
    from openbell.model.order import Order
    from openbell.results.result import DayResult
    from openbell.session import SessionData

__all__ = ["RunReporter", "SessionObserver"]


# By class name, so that a run without orders does not import the classes of trading.
_METHODS = {
    "ProvisioningRecord": "provisioned",
    "ScanEvent": "scanned",
    "SignalEvent": "signalled",
    "StateEvent": "state_saved",
    "Order": "order_changed",
    "Fill": "filled",
    "CashFlow": "paid",
}


class SessionObserver:
    """Base class of progress bars, logs and notebooks that watch a run.

    Every method does nothing by default. Methods are called on the thread of the run, those for additions, scans and
    signals when their event batch is finished. An observer that raises is reported with a warning, and the run goes on
    without it.
    """

    def run_started(self, days: list[date]) -> None:
        """Receive the sessions that will be run."""

    def warned(self, warning: str) -> None:
        """Receive a warning about calendar, data or config, or about an observer that failed."""

    def day_started(self, day: date) -> None:
        """Receive a session that is about to be prepared."""

    def provisioned(self, record: ProvisioningRecord) -> None:
        """Receive the record of an addition or removal, whatever its outcome."""

    def day_prepared(self, session_data: SessionData) -> None:
        """Receive a session that is about to begin, provisioned and set up."""

    def scanned(self, scan: ScanEvent) -> None:
        """Receive the run of a scanner, also one that found nothing."""

    def signalled(self, signal: SignalEvent) -> None:
        """Receive a signal of a strategy."""

    def order_changed(self, order: Order) -> None:
        """Receive an order whose status has changed."""

    def filled(self, fill: Fill) -> None:
        """Receive a fill."""

    def paid(self, flow: CashFlow) -> None:
        """Receive a dividend, a cost of borrowing, or cash in place of a fraction."""

    def state_saved(self, state: StateEvent) -> None:
        """Receive the state of a strategy that has changed."""

    def bar_closed(self, bar: Bar) -> None:
        """Receive a bar of any series of the session when it closes, after the strategies.

        Only a class that defines this method gets bars, because making them takes time.
        """

    def advanced(self, share: float) -> None:
        """Receive the progress of the session clock, from 0 at the session's start to 1 at its end."""

    def day_ended(self, result: DayResult, session_data: SessionData) -> None:
        """Receive the result of a session that is over."""


class EventSink(Protocol):
    """Receives events batch by batch, as a run folder does."""

    def write_events(self, events: Sequence[Event]) -> None:
        """Write the events of one batch."""


class RunReporter:
    """Collects the events of a batch, and passes them on when the batch is finished.

    Args:
        observers: Receive everything, in this order.
        folder: Receives every batch before the observers do.

    Attributes:
        pending: Events of the batch that is not finished, added from any thread; the list stays the same object.
        failures: The warnings about observers that raised.
    """

    def __init__(self, observers: Sequence[SessionObserver] = (), folder: EventSink | None = None) -> None:
        self.pending: list[Event] = []
        self.failures: list[str] = []
        self._observers = list(observers)
        self._folder = folder

    @property
    def wants_bars(self) -> bool:
        """True if an observer defines ``bar_closed``."""
        return any(type(o).bar_closed is not SessionObserver.bar_closed for o in self._observers)

    def finish_batch(self) -> None:
        """Write the events of the batch to the run folder, then pass them to the observers.

        Raises:
            RunFolderError: The run folder cannot be written.
        """
        if not self.pending:
            return
        events = self.pending[:]
        del self.pending[: len(events)]  # not clear(): another thread may have added one meanwhile
        if self._folder is not None:
            self._folder.write_events(events)
        for event in events if self._observers else ():
            self._event(event)

    def _event(self, event: Event) -> None:
        method = _METHODS[type(event).__name__]
        self._each(lambda observer: getattr(observer, method)(event))

    def run_started(self, days: list[date]) -> None:
        """Report the beginning of the run."""
        self._each(lambda observer: observer.run_started(days))

    def warned(self, warning: str) -> None:
        """Report a warning."""
        self._each(lambda observer: observer.warned(warning))

    def day_started(self, day: date) -> None:
        """Report that a session is about to be prepared."""
        self._each(lambda observer: observer.day_started(day))

    def day_prepared(self, session_data: SessionData) -> None:
        """Report that a session is about to begin."""
        self._each(lambda observer: observer.day_prepared(session_data))

    def bar_closed(self, bar: Bar) -> None:
        """Report a bar."""
        self._each(lambda observer: observer.bar_closed(bar))

    def advanced(self, share: float) -> None:
        """Report the progress of the session clock."""
        self._each(lambda observer: observer.advanced(share))

    def day_ended(self, result: DayResult, session_data: SessionData) -> None:
        """Report the result of a session."""
        self._each(lambda observer: observer.day_ended(result, session_data))

    def _each(self, call: Callable[[SessionObserver], None]) -> None:
        for observer in tuple(self._observers):
            try:
                call(observer)
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # noqa: BLE001 -- an observer may raise anything; it is reported
                self._drop(observer, error)

    def _drop(self, observer: SessionObserver, error: BaseException) -> None:
        self._observers.remove(observer)
        name = type(observer).__name__
        get_logger().warning("observer failed", observer=name, exception=format_exc())
        warning = f"the observer {name} raised {type(error).__name__}: {error}. The run continues without it."
        self.failures.append(warning)
        self.warned(warning)
