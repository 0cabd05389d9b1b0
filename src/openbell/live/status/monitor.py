"""Monitor of a live run, which keeps its current status."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from openbell.engine.observer import SessionObserver
from openbell.errors import RunFolderError
from openbell.live.status.live_status import STATUS, FeedStatus, Happening, LiveStatus
from openbell.model.events import local_time
from openbell.model.order import OrderStatus
from openbell.store.atomic_files import replace_file
from openbell.timing.clock import stopwatch

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, tzinfo
    from pathlib import Path

    from openbell.live.status.snapshot import SessionSnapshot
    from openbell.model.events import ProvisioningRecord, ScanEvent, SignalEvent
    from openbell.model.fill import Fill
    from openbell.model.order import Order
    from openbell.session import SessionData

__all__ = ["Monitor"]

_EVERY_S = 1.0
_MOST_HAPPENED = 60
_MOST_NAMED = 5


class Monitor(SessionObserver):
    """Takes snapshots of a session, and writes them to the run folder.

    It takes one a second, and one when something has happened. Per bar, it only checks whether one is due. Snapshots
    are taken on the session's thread, at the ends of batches and while the session waits. Any thread may read `latest`,
    and another thread calls `write`.

    Args:
        folder: The run folder.
        session_name: The name in the config.
        feed: The name of the feed.
        now_ns: Returns the time outside of the session clock, nanoseconds since 1970 UTC.
        zone: The exchange's time zone.

    Attributes:
        latest: The last snapshot.
        listeners: Called with everything that happens, on the session's thread.
        watchers: Called with each snapshot, on the session's thread.
        every_s: Seconds between two snapshots, unless something has happened.
    """

    def __init__(self, folder: Path, session_name: str, feed: str, now_ns: Callable[[], int], zone: tzinfo) -> None:
        self._path = folder / STATUS
        self._now_ns = now_ns
        self._zone = zone
        self._happened: deque[Happening] = deque(maxlen=_MOST_HAPPENED)
        self._snapshot: SessionSnapshot | None = None
        self.every_s = _EVERY_S
        self._is_due = True
        self._watch, self._since_written = stopwatch(), stopwatch()
        self._written: LiveStatus | None = None
        self._error: OSError | None = None
        self._state = "connecting"
        self._group: tuple[str, str] = ("", "")
        self._symbols: list[str] = []
        self.listeners: list[Callable[[Happening], None]] = []
        self.watchers: list[Callable[[LiveStatus], None]] = []
        self.latest = LiveStatus(session_name, self._state, self._now(), FeedStatus(feed, "DOWN", "connecting"))

    def heard_s(self) -> float | None:
        """Return the seconds since the last bar arrived or the connection was made, None before that.

        Any thread may call it.
        """
        heard_ns = 0 if self._snapshot is None else self._snapshot.resources.connection.heard_ns
        return max(0, self._now_ns() - heard_ns) / 1e9 if heard_ns else None

    def _now(self) -> str:
        return local_time(self._now_ns(), self._zone).isoformat(timespec="seconds")

    # Snapshots

    def begin(self, snapshot: SessionSnapshot) -> None:
        """Show a session that is being prepared, in place of the one before."""
        self._snapshot = snapshot
        self.enter("preparing")

    def enter(self, state: str) -> None:
        """Show another state of the run."""
        self._state = state
        self._is_due = True

    def turn(self) -> None:
        """Take a snapshot if one is due.

        Raises:
            RunFolderError: An earlier snapshot could not be written.
        """
        if not self._is_due and self._watch.seconds < self.every_s:
            return
        if self._error is not None:
            raise RunFolderError(f"cannot write {self._path}: {self._error.strerror or self._error}.") from self._error
        self._is_due, self._watch = False, stopwatch()
        self._take()
        for watcher in self.watchers:
            watcher(self.latest)

    def over(self) -> None:
        """Take a last snapshot of a session."""
        self._is_due = True
        self.turn()

    def _take(self) -> None:
        snapshot, before = self._snapshot, self.latest
        happened = tuple(self._happened)
        if snapshot is None:
            self.latest = replace(before, state=self._state, now=self._now(), happened=happened)
            return
        session = snapshot.context.time_manager.session(snapshot.context.day)
        counts, symbols = snapshot.symbols()
        self.latest = LiveStatus(
            session_name=before.session_name,
            state=self._state,
            now=self._now(),
            feed=snapshot.feed(),
            date=snapshot.context.day.isoformat(),
            clock=snapshot.iso(snapshot.context.time_manager.now_ns),
            opens=snapshot.iso(session.first_ns),
            closes=snapshot.iso(session.last_ns),
            counts=counts,
            symbols=symbols,
            account=snapshot.account(),
            broker=snapshot.broker(),
            next_scan=snapshot.next_scan(),
            bars=dict(snapshot.day.waiting_bars.counts),
            happened=happened,
        )

    def write(self, *, at_once: bool = False) -> None:
        """Write the last snapshot, at most once a second unless ``at_once``.

        Any thread may call it.
        """
        status = self.latest
        if status is self._written or (not at_once and self._since_written.seconds < _EVERY_S):
            return
        self._written, self._since_written = status, stopwatch()
        try:
            replace_file(self._path, json.dumps(status.to_dict()).encode())
        except OSError as error:
            self._error = error  # raised on the session's thread by the next `turn`

    def finish(self, state: str) -> None:
        """Take and write the last snapshot of the run."""
        self._state = state
        self.latest = replace(self.latest, state=state, now=self._now(), happened=tuple(self._happened))
        self.write(at_once=True)
        for watcher in self.watchers:
            watcher(self.latest)

    # What happens

    def happened(self, kind: str, text: str, time: str = "") -> None:
        """Note something, with the time outside of the session clock unless another one before it is given."""
        now = self._now()
        one = Happening(min(time or now, now), kind, text)
        self._happened.append(one)
        # Signals and fills may come at each bar: they are shown with the next snapshot that is due.
        self._is_due = self._is_due or kind in ("feed", "symbol", "session", "warning")
        for listener in self.listeners:
            listener(one)

    def _happened_to(self, symbol: str, outcome: str, time: str) -> None:
        """Add the outcome of a symbol.

        Successive symbols with the same outcome make one happening.
        """
        group, symbols = (time, outcome), self._symbols
        if group != self._group or not self._happened or self._happened[-1].text != _named(symbols, outcome):
            self._group, symbols = group, []
        else:
            self._happened.pop()
        self._symbols = [*symbols, symbol]
        self.happened("symbol", _named(self._symbols, outcome), time)

    def warned(self, warning: str) -> None:
        """Note a warning."""
        self.happened("warning", warning)

    def day_started(self, day: date) -> None:
        """Note that the session is prepared."""
        self.happened("session", f"{day} is prepared")

    def day_prepared(self, session_data: SessionData) -> None:
        """Note that the session begins."""
        count = len(session_data.current)
        self.happened("session", f"{session_data.session_date} begins with {count} symbol{'s' * (count != 1)}")

    def provisioned(self, record: ProvisioningRecord) -> None:
        """Note an addition or removal."""
        if record.ok and record.operation_type in ("bar", "indicator"):
            return  # there are many, and the journal has them
        self._happened_to(record.symbol, _outcome(record), record.time.isoformat(timespec="seconds"))
        if self._snapshot is not None and record.operation_type == "symbol" and not record.is_pending:
            self._snapshot.failed.pop(record.symbol, None)
            if not record.ok:
                self._snapshot.failed[record.symbol] = " ".join(record.errors)

    def scanned(self, scan: ScanEvent) -> None:
        """Note a scan."""
        name = scan.scanner.removeprefix("scanner ")
        found = " ".join(scan.symbols[:20]) + " ..." * (len(scan.symbols) > 20) if scan.symbols else "nothing"
        self.happened("scan", f"{name} found {found}", scan.time.isoformat(timespec="seconds"))

    def signalled(self, signal: SignalEvent) -> None:
        """Note a signal."""
        text = f"{signal.action} {signal.symbol} by {signal.strategy}{': ' * bool(signal.reason)}{signal.reason}"
        self.happened("signal", text, signal.time.isoformat(timespec="seconds"))

    def order_changed(self, order: Order) -> None:
        """Note an order that will not fill."""
        if order.status in (OrderStatus.REJECTED, OrderStatus.EXPIRED, OrderStatus.CANCELLED):
            text = f"{order.symbol} {order.quantity:+,.10g} {order.status}{': ' * bool(order.reason)}{order.reason}"
            self.happened("order", text, order.time.isoformat(timespec="seconds"))

    def filled(self, fill: Fill) -> None:
        """Note a fill."""
        side = "bought" if fill.quantity > 0 else "sold"
        reason = fill.order.reason
        text = f"{side} {abs(fill.quantity):,.10g} {fill.symbol} at {fill.price:,.10g}{': ' * bool(reason)}{reason}"
        self.happened("fill", text, fill.time.isoformat(timespec="seconds"))


def _outcome(record: ProvisioningRecord) -> str:
    """Return what became of an addition or removal, without its symbol."""
    kind = record.operation_type
    if record.is_pending:
        return f"waits: {', '.join(record.warnings)}"
    if not record.ok:
        what = "" if kind == "symbol" else f"{kind} "
        return f"{what}refused: {' '.join(record.errors)}"
    return {"symbol": f"ready, for {record.owner}", "remove": f"removed by {record.owner}"}.get(kind, kind)


def _named(symbols: list[str], outcome: str) -> str:
    """Return a text of the first symbols and their common outcome."""
    more = len(symbols) - _MOST_NAMED
    return f"{' '.join(symbols[:_MOST_NAMED])}{f' and {more} more' if more > 0 else ''} {outcome}"
