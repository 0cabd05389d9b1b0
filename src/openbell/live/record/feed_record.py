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
    """File of a run folder with one line for each time that was played, and for each thing that happened in between.

    Args:
        folder: The folder of the run, whose record goes on if it has one.

    Attributes:
        is_paused: Whether nothing is written, because what happens is in the record already.
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
        """Note where the bars come from."""
        self._write({"feed": name, "intervals": list(intervals)})

    def offered(self, day: str, symbol: str, stored: Sequence[str], bases: Sequence[str]) -> None:
        """Note the intervals that the feed has of one symbol on a day, where it does not have all of them of each."""
        self._write({"offered": symbol, "day": day, "stored": list(stored), "bases": list(bases)})

    def waiting(self, one: Waiting, missing: str) -> None:
        """Note an addition whose bars are on their way, and what is missing of it."""
        self._write({"waits_ns": one.asked_ns, **_named(one), "missing": missing})

    def session(self, day: date, start_ns: int) -> None:
        """Note that a session begins, and where its clock stands."""
        self._write({"session": day.isoformat(), "start_ns": start_ns})

    def bars(self, time_ns: int, bars: Sequence[tuple[FeedBar, str]], *, late: bool = False) -> None:
        """Note bars that were put in their places when a time was played, or after it."""
        if bars:
            lines = [[*bar, kind] for bar, kind in bars]
            self._write({"played_ns": time_ns, **({"late": True} if late else {}), "bars": lines})

    def played(self, time_ns: int, bars: Sequence[tuple[FeedBar, str]]) -> None:
        """Note that a time is played, with the bars that came for it."""
        self._write({"played_ns": time_ns, "bars": [[*bar, kind] for bar, kind in bars]})

    def ended(self, day: date) -> None:
        """Note that a session has come to its end."""
        self._write({"ended": day.isoformat()})

    def health(self, time_ns: int, health: str, reason: str) -> None:
        """Note the health of the feed, and when strategies heard of it."""
        self._write({"health": health, "at_ns": time_ns, "reason": reason})

    def refused(self, number: int, reason: str) -> None:
        """Note that an order was refused because it came too late, by how many orders the session had asked for."""
        self._write({"refused": number, "reason": reason})

    def closing(self, time_ns: int) -> None:
        """Note that all positions are closed, because the run is to stop."""
        self._write({"closing_ns": time_ns})

    def trades_again(self, time_ns: int) -> None:
        """Note that a run goes on that was stopped after all positions were closed, and may open new ones."""
        self._write({"trades_again_ns": time_ns})
        self.looked(time_ns)

    def settled(self, time_ns: int, settled: Iterable[tuple[Waiting, str]]) -> None:
        """Note additions that have waited, and why those that failed did."""
        for one, error in settled:
            self._write({"settled_ns": time_ns, "waits_ns": one.asked_ns, **_named(one), "error": error})

    def account(self, broker_terms: BrokerTerms, since_ns: int) -> None:
        """Note the account that the run trades on, and by which id the broker knows its orders."""
        account = broker_terms.account
        self._write({"account": account.number, "at": account.broker, "run": broker_terms.run_id, "since_ns": since_ns})

    def opens(self, events: Iterable[BrokerEvent]) -> None:
        """Note what the broker reported before a session."""
        self._write({"opens": [line_of_event(event) for event in events]})

    def broker(self, time_ns: int, events: Iterable[BrokerEvent]) -> None:
        """Note what the broker reported, in the order in which it is taken up."""
        for event in events:
            self._write({**line_of_event(event), "at_ns": time_ns})

    def sends(self, sent_ns: int, orders: Iterable[Order]) -> None:
        """Note orders that are about to be sent to the broker, and return when that is on the disk."""
        self._write({"sends": [order_json(order) for order in orders], "sent_ns": sent_ns})
        os.fsync(self._file.fileno())

    def looked(self, time_ns: int) -> None:
        """Note that all that happened at once between two times has been noted."""
        self._write({"looked_ns": time_ns})

    def failed(self, time_ns: int, symbol: str, reason: str) -> None:
        """Note why a symbol could not be had at once."""
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
    """Return the record of a live run.

    Raises:
        RunFolderError: The folder has none.
    """
    path = folder / NAME
    if not path.is_file():
        raise RunFolderError(f"{folder} is no folder of a live run: it has no {NAME}.")
    return path


def read_record(folder: Path) -> Iterator[JsonObject]:
    """Iterate over the lines of a record, without a last one that has no end.

    Raises:
        RunFolderError: It is not there, or cannot be read.
    """
    path = recorded(folder)
    try:
        yield from event_lines(path)
    except (OSError, ValueError) as error:
        raise RunFolderError(f"cannot read {path}: {error}.") from error


def bar_of(fields: Sequence[Any]) -> FeedBar:
    """Return a bar of a line."""
    return FeedBar(*fields[:8])
