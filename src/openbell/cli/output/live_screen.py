"""Screen and log of a live run while it is running."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.cli.output.run_progress import ProgressObserver
from openbell.cli.terminal.console import err, out
from openbell.logs import get_logger
from openbell.timing.clock import stopwatch

if TYPE_CHECKING:
    from typing import Self

    from rich.console import RenderableType
    from rich.live import Live

    from openbell.live.status.live_status import Happening, LiveStatus
    from openbell.live.status.monitor import Monitor

__all__ = ["LiveLog", "LiveScreen"]

_REFRESHES = 2
_STATUS_EVERY_S = 60.0
_LOGGED = ("fill", "order")
"""Kinds of happenings that `LogObserver` does not log."""


class LiveScreen(ProgressObserver):
    """Screen of a live run, drawn twice a second if stderr is a terminal.

    Args:
        shown: Whether to show it on such a terminal.
    """

    def __init__(self, *, shown: bool = True) -> None:
        super().__init__(shown=False)
        self._is_shown = shown and err.is_terminal
        self._monitor: Monitor | None = None
        self._live: Live | None = None

    def watch(self, monitor: Monitor) -> None:
        """Begin to show a run."""
        self._monitor = monitor
        self.__enter__()

    def __enter__(self) -> Self:
        if self._is_shown and self._monitor is not None and self._live is None:
            from rich.live import Live

            self._live = Live(
                console=err, get_renderable=self._drawn, refresh_per_second=_REFRESHES, transient=True,
                redirect_stdout=out.is_terminal, vertical_overflow="crop",
            )  # fmt: skip
            self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _drawn(self) -> RenderableType:
        from openbell.cli.output.live_view import live_view

        if self._monitor is None:
            return ""
        return live_view(self._monitor.latest, self._monitor.heard_s(), err.width, err.height - 1)


class LiveLog:
    """Log of what is particular to a live run, with its status at changes and each minute.

    Args:
        monitor: The monitor of the run.
    """

    def __init__(self, monitor: Monitor) -> None:
        self._log = get_logger()
        self._since = stopwatch()
        self._shown: tuple[object, ...] = ()
        monitor.listeners.append(self._happened)
        monitor.watchers.append(self._status)

    def _happened(self, one: Happening) -> None:
        if one.kind in _LOGGED:
            self._log.info(one.kind, session_time=one.time, text=one.text)

    def _status(self, status: LiveStatus) -> None:
        """Log the status each minute, and when it has changed.

        Changes are those of the state of the run, the health of the feed, the session, and the numbers of symbols.
        """
        shown = status.state, status.feed.health, tuple((status.counts or {}).items()), status.date
        if shown == self._shown and self._since.seconds < _STATUS_EVERY_S:
            return
        self._shown, self._since = shown, stopwatch()
        fields = status.to_dict()
        del fields["happened"]  # each is logged when it happens
        self._log.info("status", session_time=status.clock, **fields)
