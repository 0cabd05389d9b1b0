"""Base class of batch sources that make a session part by part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.engine.timetable import batches, scheduled_scans

if TYPE_CHECKING:
    from openbell.engine.component_runner import ComponentRunner
    from openbell.engine.event_batch import Batches
    from openbell.engine.subscriptions import Subscriptions
    from openbell.timing.trading_session import TradingSession

__all__ = ["PiecewiseSource"]


class PiecewiseSource:
    """Base class of sources between whose parts something else may happen, such as additions.

    Args:
        session: The session's times.
        subscriptions: The subscriptions of the strategies.
        runner: The scanners and strategies.

    Attributes:
        scans: The scans of the session, in order of time.
    """

    def __init__(self, session: TradingSession, subscriptions: Subscriptions, runner: ComponentRunner) -> None:
        self._session = session
        self._subscriptions = subscriptions
        self._runner = runner
        self.scans = scheduled_scans(session, runner.scanners, subscriptions.time_manager)

    def batches_after(self, time_ns: int) -> Batches:
        """Make the batches after a time, for the current subscriptions of the strategies.

        Raises:
            ComponentError: A strategy's subscriptions cannot be provisioned.
        """
        after_ns = max(time_ns, self._subscriptions.time_manager.now_ns)
        self._subscriptions.ask()
        self._running()
        return self._batches(after_ns)

    def _running(self) -> None:
        """Note that the session has begun, after which additions no longer wait for their bars."""
        raise NotImplementedError

    def _batches(self, after_ns: int) -> Batches:
        raise NotImplementedError

    def _part(self, after_ns: int, until_ns: int) -> Batches:
        """Make the batches after one time and up to another, with the last one at the latter."""
        bars, slices = self._subscriptions.as_known(after_ns)
        scans = [scan for scan in self.scans if after_ns < scan[0] <= until_ns]
        return batches(bars, scans, slices, after_ns=after_ns, last_ns=until_ns)
