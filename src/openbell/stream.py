"""`SessionStream`: moves the clock through a prepared session and calls who is due."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openbell.errors import ComponentError
from openbell.interval import parse_interval
from openbell.replay import moments
from openbell.session.series import reveal
from openbell.subscriptions import Subscriptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from openbell.hooks import Hooks, ScannerOfDay
    from openbell.observer import SessionObserver
    from openbell.provisioning import Provisioner
    from openbell.replay import Moment
    from openbell.timing.clock import SimulatedClock
    from openbell.timing.grid import TradingSession

__all__ = ["SessionStream"]

Scan = tuple[int, "Callable[[], None]"]


class SessionStream:
    """One session on its way from its start to its end.

    What was added meanwhile, from a callback or from another thread, takes part from the next moment on.

    Args:
        session: The session's times.
        provisioner: Holds the session's state, and provisions what strategies subscribe to.
        hooks: The scanners and strategies.
        clock: The session clock.
        observer: Hears how far it is.
    """

    def __init__(
        self,
        session: TradingSession,
        provisioner: Provisioner,
        hooks: Hooks,
        clock: SimulatedClock,
        observer: SessionObserver,
    ) -> None:
        self._session = session
        self._session_data = provisioner.world.session_data
        self._hooks = hooks
        self._clock = clock
        self._observer = observer
        self._full = set(self._session_data.full_symbols)
        self._told_version = self._session_data.version
        self._subscriptions = Subscriptions(provisioner, hooks, session.last_ns)

    def tell_of_new_symbols(self) -> None:
        """Call ``on_symbol_added`` for every symbol that became full since the last call (or since the beginning)."""
        if self._told_version == self._session_data.version:
            return
        self._told_version = self._session_data.version
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
        callbacks, played_ns = 0, first_ns - 1
        while played_ns < last_ns:
            # The version first: what another thread adds while we resolve is then seen after the next moment.
            version = self._session_data.version
            bars, slices = self._subscriptions.resolve()
            due = [scan for scan in scans if scan[0] > played_ns]
            for moment in moments(bars, due, slices, after_ns=max(played_ns, first_ns), last_ns=last_ns):
                callbacks += self._play_moment(moment)
                played_ns = moment.time_ns
                self._observer.advanced((played_ns - first_ns) / (last_ns - first_ns))
                if self._session_data.version != version:
                    break
        return callbacks

    def _play_moment(self, moment: Moment) -> int:
        """All bars that close now, then due scanners, then strategies; returns how many callbacks there were."""
        data = self._session_data
        symbols, gone = data.current, 0
        self._clock.advance_to(moment.time_ns)
        reveal(moment.time_ns, moment.bars)
        for scan in moment.scans:
            scan()
        self.tell_of_new_symbols()
        callback: Callable[..., Any] | None = None
        try:
            for _, _, callback, bar in moment.bars:
                if data.current is not symbols and data.get_bars(bar.symbol, bar.interval) is None:
                    gone += 1  # removed at this very moment, by a scanner or by a strategy before
                    continue
                if (said := callback(bar)) is not None:
                    self._hooks.keep_signals(callback, said)
            for callback, cross_section in moment.slices:
                if (said := callback(cross_section)) is not None:
                    self._hooks.keep_signals(callback, said)
        except Exception as error:
            if callback is None or isinstance(error, ComponentError):
                raise
            raise self._hooks.component_error(*self._hooks.place_of(callback), error) from error
        self.tell_of_new_symbols()
        return len(moment.bars) - gone + len(moment.slices)

    def _scheduled_scans(self) -> list[Scan]:
        """All scans of the day in order of time; at one time in the order of the config."""
        scans = [
            (time_ns, self._scan_of(of_day)) for of_day in self._hooks.scanners for time_ns in self._due_times(of_day)
        ]
        return sorted(scans, key=lambda scan: scan[0])

    def _scan_of(self, of_day: ScannerOfDay) -> Callable[[], None]:
        return lambda: self._hooks.scan(of_day)

    def _due_times(self, of_day: ScannerOfDay) -> list[int]:
        """When a scanner is due within the session; a time that two of its schedules name counts once.

        A session that opens on the evening before has the times of that date, too.
        """
        tm, day = self._hooks.time_manager, self._session.day
        times: set[int] = set()
        for date in {tm.to_local(self._session.first_ns).date(), day}:
            for schedule in of_day.config.schedule:
                start, end = tm.local_ns(date, schedule.start), tm.local_ns(date, schedule.end)
                times.update(range(start, end + 1, parse_interval(schedule.every).ns))
        return sorted(t for t in times if self._session.first_ns <= t <= self._session.last_ns)
