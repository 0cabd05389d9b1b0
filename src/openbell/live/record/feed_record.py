"""Record of everything that arrived in a live run, in the order in which it was played."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from openbell.errors import RunFolderError
from openbell.live.record.broker_events import line_of_event
from openbell.model.feed_events import FeedBar
from openbell.results.folder.event_files import append, event_lines, opened_after_whole_lines
from openbell.results.folder.trading_json import order_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date
    from pathlib import Path

    from openbell.live.broker.broker_terms import BrokerTerms
    from openbell.live.session_loop.live_provisioner import Waiting
    from openbell.model.broker_events import BrokerEvent
    from openbell.model.json_object import JsonObject
    from openbell.model.order import Order

__all__ = ["NAME", "FeedRecord", "read_record", "recorded"]

NAME = "feed.jsonl"


class FeedRecord:
    """File with a line for each time that was played, and for each event in between.

    Args:
        folder: The folder of the run, whose record is continued if it has one.

    Attributes:
        is_paused: Whether nothing is written, because a resumed run plays its past, which is recorded already.

    Raises:
        RunFolderError: The file cannot be opened. The methods that write raise it as well.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self.is_paused = False
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = opened_after_whole_lines(self.path)
        except OSError as error:
            raise RunFolderError(f"cannot write {self.path}: {error.strerror or error}.") from error

    def feed(self, name: str, intervals: Sequence[str]) -> None:
        """Record the name and the intervals of the feed."""
        self._write({"feed": name, "intervals": list(intervals)})

    def offered(self, day: str, symbol: str, stored: Sequence[str], bases: Sequence[str]) -> None:
        """Record the intervals that the feed has of one symbol on a day, if they are particular to it."""
        self._write({"offered": symbol, "day": day, "stored": list(stored), "bases": list(bases)})

    def waiting(self, one: Waiting, missing: str) -> None:
        """Record an addition whose bars are on their way, and what is missing."""
        self._write({"waits_ns": one.asked_ns, **_named(one), "missing": missing})

    def session(self, day: date, start_ns: int) -> None:
        """Record the beginning of a session, with the time of its clock."""
        self._write({"session": day.isoformat(), "start_ns": start_ns})

    def bars(self, time_ns: int, bars: Sequence[tuple[FeedBar, str]], *, late: bool = False) -> None:
        """Record bars that were added without a new time being played, with the last time that was."""
        if bars:
            lines = [[*bar, kind] for bar, kind in bars]
            self._write({"played_ns": time_ns, **({"late": True} if late else {}), "bars": lines})

    def played(self, time_ns: int, bars: Sequence[tuple[FeedBar, str]]) -> None:
        """Record a time that is played, with the bars that came for it."""
        self._write({"played_ns": time_ns, "bars": [[*bar, kind] for bar, kind in bars]})

    def ended(self, day: date) -> None:
        """Record the end of a session."""
        self._write({"ended": day.isoformat()})

    def health(self, time_ns: int, health: str, reason: str) -> None:
        """Record the health of the feed that is reported to strategies at a time."""
        self._write({"health": health, "at_ns": time_ns, "reason": reason})

    def refused(self, number: int, reason: str) -> None:
        """Record that an order was refused because it came too late, by its number in the session."""
        self._write({"refused": number, "reason": reason})

    def closing(self, time_ns: int) -> None:
        """Record that all positions are closed, because the run is to stop."""
        self._write({"closing_ns": time_ns})

    def trades_again(self, time_ns: int) -> None:
        """Record that a run that had closed all positions is resumed, and may open new ones."""
        self._write({"trades_again_ns": time_ns})
        self.looked(time_ns)

    def settled(self, time_ns: int, settled: Iterable[tuple[Waiting, str]]) -> None:
        """Record additions that have waited, with the errors of those that failed."""
        for one, error in settled:
            self._write({"settled_ns": time_ns, "waits_ns": one.asked_ns, **_named(one), "error": error})

    def account(self, broker_terms: BrokerTerms, since_ns: int) -> None:
        """Record the account that the run trades on, and the id by which the broker knows its orders."""
        account = broker_terms.account
        self._write({"account": account.number, "at": account.broker, "run": broker_terms.run_id, "since_ns": since_ns})

    def opens(self, events: Iterable[BrokerEvent]) -> None:
        """Record what the broker reported before a session."""
        self._write({"opens": [line_of_event(event) for event in events]})

    def broker(self, time_ns: int, events: Iterable[BrokerEvent]) -> None:
        """Record what the broker reported, in the order in which the session is notified."""
        for event in events:
            self._write({**line_of_event(event), "at_ns": time_ns})

    def sends(self, sent_ns: int, orders: Iterable[Order]) -> None:
        """Record orders that are about to be sent to the broker, and return when they are on disk."""
        self._write({"sends": [order_json(order) for order in orders], "sent_ns": sent_ns})
        os.fsync(self._file.fileno())

    def looked(self, time_ns: int) -> None:
        """Record that all that happened at once between two times has been recorded."""
        self._write({"looked_ns": time_ns})

    def failed(self, time_ns: int, symbol: str, reason: str) -> None:
        """Record why a symbol failed at once."""
        self._write({"failed_ns": time_ns, "symbol": symbol, "error": reason})

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, line: JsonObject) -> None:
        if self.is_paused:
            return
        try:
            append(self._file, (json.dumps(line) + "\n").encode())
        except OSError as error:
            raise RunFolderError(f"cannot write {self.path}: {error.strerror or error}.") from error


def _named(one: Waiting) -> JsonObject:
    addition = one.addition
    return {
        "operation": addition.operation_type,
        "symbol": addition.symbol,
        "owner": addition.owner or addition.source,
    }


def recorded(folder: Path) -> Path:
    """Return the path of the record of a live run.

    Raises:
        RunFolderError: The folder has none.
    """
    path = folder / NAME
    if not path.is_file():
        raise RunFolderError(f"{folder} is not the folder of a live run: it has no {NAME}.")
    return path


def read_record(folder: Path) -> Iterator[JsonObject]:
    """Iterate over the lines of a record, except an unfinished last one.

    Raises:
        RunFolderError: The record is not there, or cannot be read.
    """
    path = recorded(folder)
    try:
        yield from event_lines(path)
    except (OSError, ValueError) as error:
        raise RunFolderError(f"cannot read {path}: {error}.") from error


def bar_of(fields: Sequence[Any]) -> FeedBar:
    """Return a bar of a line."""
    return FeedBar(*fields[:8])
