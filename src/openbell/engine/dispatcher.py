"""The dispatcher, which delivers a session's events in order of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from openbell.engine.fast_path import BarRun
from openbell.model.bars import Bar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from openbell.engine.component_runner import ComponentRunner
    from openbell.engine.event_batch import Batches, Delivery, EventBatch
    from openbell.engine.fast_path import Pause
    from openbell.engine.observer import RunReporter
    from openbell.engine.session_trading import SessionTrading
    from openbell.session import SessionData
    from openbell.session.cross_section import CrossSection
    from openbell.timing.clock import SimulatedClock
    from openbell.timing.trading_session import TradingSession

__all__ = ["BatchSource", "Dispatcher"]

_PROGRESS_REPORTS = 25


class BatchSource(Protocol):
    """Source of a session's batches, such as a timetable of stored bars or a feed."""

    def batches_after(self, time_ns: int) -> Batches:
        """Make the batches after a session time, in ascending time, for the current subscriptions."""


class Dispatcher:
    """Delivers event batches to scanners and strategies, as the only one to do so.

    At each session time the clock moves, bars close, due scanners run, and strategies get their bars and
    cross-sections. A series that a callback or another thread adds meanwhile takes part from the next batch on; of one
    that is removed, nothing more is delivered.

    Args:
        session: The session's times.
        source: Makes the batches, again each time series were added or removed.
        session_data: The session.
        runner: The scanners and strategies.
        clock: The session clock.
        reporter: Receives the progress, and passes on the events of a batch when it is finished.
        trading: The orders of strategies; None in a session that does not trade.

    Attributes:
        callbacks: How many times ``on_bar`` and ``on_slice`` were called.
    """

    def __init__(
        self,
        session: TradingSession,
        source: BatchSource,
        session_data: SessionData,
        runner: ComponentRunner,
        clock: SimulatedClock,
        reporter: RunReporter,
        trading: SessionTrading | None = None,
    ) -> None:
        self.callbacks = 0
        self._session = session
        self._source = source
        self._session_data = session_data
        self._runner = runner
        self._clock = clock
        self._reporter = reporter
        self._trading = trading
        self._batches: Batches = iter(())
        self._version = -1
        self._delivered_ns = session.first_ns - 1
        self._progress_due_ns = 0

    def play(self) -> int:
        """Deliver all batches of the session.

        Returns:
            How many times ``on_bar`` and ``on_slice`` were called.

        Raises:
            ComponentError: A scanner or strategy raised.
        """
        while (batch := self.next_batch()) is not None:
            self.deliver(batch)
        self._reporter.advanced(1.0)
        return self.callbacks

    def next_batch(self) -> EventBatch | BarRun | None:
        """Return the next batch or bar run, or None when the session is over.

        Raises:
            ComponentError: A strategy's subscriptions raised, or cannot be provisioned.
        """
        if self._changed():
            # Read first, so that what another thread adds while subscriptions are resolved is seen after this batch.
            self._version = self._session_data.series_version
            self._batches = self._source.batches_after(self._delivered_ns)
            if self._trading is not None:
                self._trading.markets_changed()
            self._write()  # what is asked for now is of now, and the next batch of when there is a bar
        return next(self._batches, None)

    def deliver(self, batch: EventBatch | BarRun) -> None:
        """Deliver an event batch, or a bar run until the session changes.

        Raises:
            CalendarError: The batch lies before the session clock.
            ComponentError: A scanner or strategy raised.
        """
        if isinstance(batch, BarRun):
            self._deliver_run(batch)
            return
        due_ns = None if self._trading is None else self._trading.next_ns
        if due_ns is not None and due_ns < batch.time_ns:
            if self._trade_before(batch.time_ns):
                return  # the session has changed: the batch is made anew
            due_ns = batch.time_ns
        self._clock.advance_to(batch.time_ns)
        for cursor, move in batch.moves:
            cursor.at = move
        if due_ns == batch.time_ns and self._trading is not None:
            self._trading.deliver(batch.time_ns)
        if batch.scans:
            for scanner in batch.scans:
                self._runner.scan(scanner)
            self._runner.notify_of_symbols()
        if batch.bars:
            self._call_strategies(batch.bars)
        if batch.slices:
            self._call_strategies(batch.slices)
        self._finish_batch()

    def _deliver_run(self, run: BarRun) -> None:
        """Deliver the batches of a run, on the fast path until the session changes."""
        if self._changed():
            if (batch := run.next_batch()) is not None:
                self.deliver(batch)
            return
        while (pause := self._play(run)) is not None:
            if pause.is_due:
                self._deliver_next_of(run)
                if self._changed():
                    break
                continue
            if pause.returned is not None:
                self._runner.keep_signals(pause.callback, pause.returned)
            self._call_strategies(pause.rest)
            self._finish_batch()
            if self._changed():
                break
        self.callbacks += run.calls
        self._delivered_ns = self._clock.now_ns

    def _play(self, run: BarRun) -> Pause | None:
        return run.play(
            self._clock,
            self._session_data,
            self._runner,
            version=self._version,
            until_ns=None if self._trading is None else self._trading.next_ns,
            pending=self._reporter.pending,
            requests=() if self._trading is None else self._trading.requests,
            progress_due_ns=self._progress_due_ns,
            report_progress=self._report_progress,
        )

    def _deliver_next_of(self, run: BarRun) -> None:
        """Deliver the next batch of a run by itself, because the broker has something to report by then."""
        if (batch := run.next_batch()) is not None:
            self.deliver(batch)

    def _trade_before(self, time_ns: int) -> bool:
        """Deliver the broker's reports that are due before a time, each at its own time.

        Returns:
            Whether the session has changed meanwhile; the rest is then left.
        """
        trading = self._trading
        while trading is not None and (due_ns := trading.next_ns) < time_ns:
            self._clock.advance_to(due_ns)
            trading.deliver(due_ns)
            self._finish_batch()
            if self._changed():
                return True
        return False

    def _call_strategies(self, deliveries: Iterable[Delivery]) -> None:
        """Call strategies, in order, with the bars and cross-sections that are still due."""
        data, version, calls = self._session_data, self._version, 0
        for callback, item in deliveries:
            due = item if data.series_version == version else self._still_due(callback, item)
            if due is None:
                continue
            calls += 1
            try:
                returned = callback(due)
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                raise self._runner.error_in(callback, error) from error
            if returned is not None:
                self._runner.keep_signals(callback, returned)
        self.callbacks += calls

    def _still_due(self, callback: Callable[..., object], due: Bar | CrossSection) -> Bar | CrossSection | None:
        """Return the part of a bar or cross-section whose series its subscriber still has, or None."""
        name = self._runner.name_of(callback)
        if not isinstance(due, Bar):
            left = due.still_there(name)
            return left if len(left) else None
        if name is None:
            return None if self._session_data.get_bars(due.symbol, due.interval) is None else due
        return due if self._session_data.is_owned(due.symbol, due.interval, name) else None

    def _finish_batch(self) -> None:
        self._delivered_ns = self._clock.now_ns
        if self._trading is not None and self._trading.requests:
            self._trading.settle(self._delivered_ns)
        self._runner.notify_of_symbols()
        self._write()
        if self._delivered_ns >= self._progress_due_ns:
            self._report_progress()

    def _write(self) -> None:
        """Write the events that wait, with the states of strategies that belong to them."""
        if self._reporter.pending:
            self._runner.save_states()
        self._reporter.finish_batch()

    def _report_progress(self) -> int:
        """Report how far the session is, and return when to report again."""
        now_ns, first_ns, last_ns = self._clock.now_ns, self._session.first_ns, self._session.last_ns
        self._reporter.advanced((now_ns - first_ns) / (last_ns - first_ns))
        self._progress_due_ns = now_ns + (last_ns - first_ns) // _PROGRESS_REPORTS
        return self._progress_due_ns

    def _changed(self) -> bool:
        """Return whether series were added or removed since the batches were made."""
        return self._session_data.series_version != self._version
