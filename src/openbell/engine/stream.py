"""`SessionStream`: moves the clock through a prepared session and calls who is due."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openbell.components.schedule import due_times
from openbell.engine.gc_control import no_garbage
from openbell.engine.subscriptions import Subscriptions
from openbell.engine.timetable import Stretch, timetable
from openbell.errors import ComponentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from openbell.engine.component_runner import Hooks, ScannerOfDay
    from openbell.engine.observer import RunReporter
    from openbell.engine.timetable import BarsAt, Moment, Plain, SliceEvent
    from openbell.model.bars import Bar
    from openbell.provisioning import Provisioner
    from openbell.timing.clock import SimulatedClock
    from openbell.timing.grid import TradingSession

__all__ = ["SessionStream"]

_TOLD_PARTS = 25

Scan = tuple[int, "Callable[[], None]"]


class SessionStream:
    """One session on its way from its start to its end.

    What was added meanwhile, from a callback or from another thread, takes part from the next moment on.

    Args:
        session: The session's times.
        provisioner: Holds the session's state, and provisions what strategies subscribe to.
        hooks: The scanners and strategies.
        clock: The session clock.
        reporter: Gets the events of each batch, and the progress.
    """

    def __init__(
        self,
        session: TradingSession,
        provisioner: Provisioner,
        hooks: Hooks,
        clock: SimulatedClock,
        reporter: RunReporter,
    ) -> None:
        self._session = session
        self._session_data = provisioner.context.session_data
        self._hooks = hooks
        self._clock = clock
        self._reporter = reporter
        self._bars_reported = 0
        self._full = set(self._session_data.full_symbols)
        self._told_version = self._session_data.series_version
        self._subscriptions = Subscriptions(
            provisioner, hooks, session.last_ns, on_bar=self._report_bar if reporter.wants_bars else None
        )
        self._played_ns = session.first_ns - 1
        self._told_ns = 0

    def tell_of_new_symbols(self) -> None:
        """Call ``on_symbol_added`` for every symbol that became full since the last call (or since the beginning)."""
        if self._told_version == self._session_data.series_version:
            return
        self._told_version = self._session_data.series_version
        while new := [s for s in self._session_data.full_symbols if s not in self._full]:
            self._full.update(new)
            for symbol in new:
                self._hooks.symbol_added(symbol)
        self._full.intersection_update(self._session_data.full_symbols)

    def play(self) -> int:
        """Stream to the close.

        Returns:
            How many times ``on_bar`` and ``on_slice`` were called.

        Raises:
            ComponentError: A scanner or strategy raised.
        """
        first_ns, last_ns = self._session.first_ns, self._session.last_ns
        scans = self._scheduled_scans()
        callbacks = 0
        while self._played_ns < last_ns:
            # The version first: what another thread adds while we resolve is then seen after the next moment.
            version = self._session_data.series_version
            due = [scan for scan in scans if scan[0] > self._played_ns]
            after_ns = max(self._played_ns, first_ns)
            with no_garbage():
                bars, slices = self._subscriptions.resolve()
            table = timetable(bars, due, slices, after_ns=after_ns, last_ns=last_ns)
            callbacks += self._play_unchanged(table, version)
        self._reporter.advanced(1.0)
        return callbacks - self._bars_reported

    def _report_bar(self, bar: Bar) -> None:
        self._bars_reported += 1
        self._reporter.bar_closed(bar)

    def _play_unchanged(self, table: Iterable[tuple[Plain, Moment]], version: int) -> int:
        """Play a timetable to its end, or as long as the session is as it was; returns the number of callbacks."""
        calls = 0
        for plain, moment in table:
            calls += self._play_bars(plain, version)
            # What changed before anything was played is for the next moment: a run always gets on.
            if self._session_data.series_version == version or not plain:
                calls += self._play_moment(moment, version)
            if self._session_data.series_version != version:
                break
        self.tell_of_new_symbols()
        return calls

    def _play_moment(self, moment: Moment, version: int) -> int:
        """At one time: all bars that close, then due scanners, then strategies."""
        self._clock.advance_to(moment.time_ns)
        for bars in moment.bars:
            bars.cursor.at = bars.move
        for scan in moment.scans:
            scan()
        if moment.scans:
            self.tell_of_new_symbols()
        calls = self._play_times([moment.bars], version) if moment.bars else 0
        callback: Callable[..., Any] | None = None
        try:
            for callback, cross_section in self._still_due(moment.slices, version):
                calls += 1
                if (said := callback(cross_section)) is not None:
                    self._hooks.keep_signals(callback, said)
        except (Exception, SystemExit) as error:
            raise self._told(error, callback) from error
        self._reporter.finish_batch()
        self._played_ns = moment.time_ns
        if self._played_ns >= self._told_ns:
            self._told_ns = self._tell_how_far(self._played_ns)
        return calls

    def _play_bars(self, plain: Plain, version: int) -> int:
        """Give out bars, time by time, as long as the session is as it was."""
        if not isinstance(plain, Stretch):
            return self._play_times(plain, version)
        one = len(plain.callbacks) == 1 and self._session_data.series_version == version
        return (self._play_series if one else self._play_stretch)(plain, version)

    def _play_stretch(self, stretch: Stretch, version: int) -> int:
        """Bars of one stretch. This is where a run spends its time: what can be done before is not done here."""
        data, clock, told_ns, pending = self._session_data, self._clock, self._told_ns, self._reporter.pending
        cursor, callbacks, moves, _, _ = stretch
        move, left_out = moves[0], 0
        callback: Callable[..., Any] | None = None
        try:
            for move, bars in zip(moves, stretch.bars, strict=True):
                cursor.at = move
                clock.now_ns = move[0]
                # No strict, which takes as long as the loop: there is a bar for each callback.
                for callback, bar in zip(callbacks, bars):  # noqa: B905
                    if data.series_version != version and data.get_bars(bar.symbol, bar.interval) is None:
                        left_out += 1  # removed at this very moment, by a strategy before
                    elif (said := callback(bar)) is not None:
                        self._hooks.keep_signals(callback, said)
                if pending:
                    callback = None  # what follows is not the strategy's
                    self._reporter.finish_batch()
                if data.series_version != version:
                    break
                if move[0] >= told_ns:
                    callback = None
                    told_ns = self._tell_how_far(move[0])
        except (Exception, SystemExit) as error:
            raise self._told(error, callback) from error
        self._played_ns, self._told_ns = move[0], told_ns
        return (move[1] - moves[0][1] + 1) * len(callbacks) - left_out

    def _play_series(self, stretch: Stretch, version: int) -> int:
        """As `_play_stretch`, of one series with one subscriber, who waits for nobody: in half the time."""
        data, clock, told_ns, pending = self._session_data, self._clock, self._told_ns, self._reporter.pending
        cursor, (callback,), moves, _, _ = stretch
        move, from_strategy = moves[0], True
        try:
            for move, (bar,) in zip(moves, stretch.bars, strict=True):
                cursor.at = move
                clock.now_ns = move[0]
                if (said := callback(bar)) is not None:
                    self._hooks.keep_signals(callback, said)
                if pending:
                    from_strategy = False
                    self._reporter.finish_batch()
                    from_strategy = True
                if data.series_version != version:
                    break
                if move[0] >= told_ns:
                    from_strategy = False
                    told_ns = self._tell_how_far(move[0])
                    from_strategy = True
        except (Exception, SystemExit) as error:
            raise self._told(error, callback if from_strategy else None) from error
        self._played_ns, self._told_ns = move[0], told_ns
        return move[1] - moves[0][1] + 1

    def _play_times(self, times: Sequence[Sequence[BarsAt]], version: int) -> int:
        """Bars of several stretches: at one time all bars close, then their subscribers are called."""
        data, calls = self._session_data, 0
        callback: Callable[..., Any] | None = None
        try:
            for together in times:
                for cursor, _, move, _ in together:
                    cursor.at = move
                self._played_ns = together[0].move[0]
                self._clock.now_ns = self._played_ns
                for _, callbacks, _, bars in together:
                    calls += len(bars)
                    for callback, bar in zip(callbacks, bars):  # noqa: B905 -- as above
                        if data.series_version != version and data.get_bars(bar.symbol, bar.interval) is None:
                            calls -= 1  # removed at this very moment, by a scanner or by a strategy before
                        elif (said := callback(bar)) is not None:
                            self._hooks.keep_signals(callback, said)
                callback = None  # what follows is not the strategy's
                self._reporter.finish_batch()
                if data.series_version != version:
                    break
                if self._played_ns >= self._told_ns:
                    self._told_ns = self._tell_how_far(self._played_ns)
        except (Exception, SystemExit) as error:
            raise self._told(error, callback) from error
        return calls

    def _told(self, error: BaseException, callback: Callable[..., Any] | None) -> BaseException:
        """An error that a strategy's method raised, with its place and time; another one is raised as it is."""
        if callback is None or isinstance(error, ComponentError):
            raise error
        return self._hooks.component_error(*self._hooks.place_of(callback), error)

    def _still_due(self, slices: Sequence[SliceEvent], version: int) -> Iterator[SliceEvent]:
        """Cross-sections without what was removed at this very moment."""
        for on_slice, cross_section in slices:
            if self._session_data.series_version == version:
                yield on_slice, cross_section
            elif left := cross_section.still_there():
                yield on_slice, left

    def _tell_how_far(self, now_ns: int) -> int:
        """Tell the observer; returns when it should hear again: after a part of the session."""
        first_ns, last_ns = self._session.first_ns, self._session.last_ns
        self._reporter.advanced((now_ns - first_ns) / (last_ns - first_ns))
        return now_ns + (last_ns - first_ns) // _TOLD_PARTS

    def _scheduled_scans(self) -> list[Scan]:
        """All scans of the day in order of time; at one time in the order of the config."""
        scans = [
            (time_ns, self._scan_of(of_day))
            for of_day in self._hooks.scanners
            for time_ns in due_times(of_day.config.schedule, self._session, self._hooks.time_manager)
        ]
        return sorted(scans, key=lambda scan: scan[0])

    def _scan_of(self, of_day: ScannerOfDay) -> Callable[[], None]:
        return lambda: self._hooks.scan(of_day)
