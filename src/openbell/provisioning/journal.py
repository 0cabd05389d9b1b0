"""Journal of provisioning, and the refusals of one session."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from openbell.logs import get_logger
from openbell.model.html_parts import MOST_ROWS, counted, in_div, more, table, title
from openbell.session.symbol import FULL_SYMBOL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openbell.model.events import ProvisioningRecord
    from openbell.provisioning.needs import Needs

__all__ = ["Journal", "Refusals"]

_MOST_LOGGED = 20
"""Most refusals of one owner at one time that are logged one by one."""


class Journal:
    """The records of a run, in the order in which they happened.

    Args:
        listener: Called with every record, on the thread and under the lock of the addition.
    """

    def __init__(self, listener: Callable[[ProvisioningRecord], None] | None = None) -> None:
        self._records: list[ProvisioningRecord] = []
        self._listener = listener

    def append(self, record: ProvisioningRecord) -> None:
        """Add a record."""
        self._records.append(record)
        if self._listener is not None:
            self._listener(record)

    @property
    def records(self) -> tuple[ProvisioningRecord, ...]:
        """All records so far."""
        return tuple(self._records)

    def since(self, mark: int) -> tuple[ProvisioningRecord, ...]:
        """Return the records from number ``mark`` on, as ``len(journal)`` gave it before."""
        return tuple(self._records[mark:])

    def __len__(self) -> int:
        return len(self._records)

    def _repr_html_(self) -> str:
        refused = sum(not record.ok for record in self._records)
        last = self._records[-MOST_ROWS:]
        rows = [
            [f"{record.time:%Y-%m-%d %H:%M:%S}", record.operation_type, record.symbol, record.owner, _outcome(record)]
            for record in last
        ]
        return in_div(
            [
                title("Journal", f"{counted(len(self), 'record')}, {refused:,} refused"),
                table(["time", "operation", "symbol", "asked by", "outcome"], rows),
                more(len(self) - len(last), "before these"),
            ]
        )

    def __repr__(self) -> str:
        return f"<Journal: {len(self)} records>"

    def __iter__(self) -> Iterator[ProvisioningRecord]:
        return iter(self._records)


class Refusals:
    """The last refusal of each symbol, interval and indicator that is not there.

    They explain later why something is missing.
    """

    def __init__(self) -> None:
        self._records: dict[tuple[str, str], ProvisioningRecord] = {}
        self._logged = Counter[tuple[int, str]]()

    def note(self, record: ProvisioningRecord, needs: Needs) -> None:
        """Note and log a refusal, or remove those that a successful addition has made good."""
        if not record.ok:
            self._log(record)
        elif not self._records:
            return
        for what in (*needs.intervals, *(need.key for need in needs.indicators), *_whole(needs)):
            if record.ok:
                self._records.pop((record.symbol, what), None)
            else:
                self._records[record.symbol, what] = record

    def _log(self, record: ProvisioningRecord) -> None:
        """Log a refusal, or after many of one owner at one time that there are more."""
        asked = record.time_ns, record.owner
        self._logged[asked] += 1
        if self._logged[asked] <= _MOST_LOGGED:
            _warn_of(record)
        elif self._logged[asked] == _MOST_LOGGED + 1:
            time = record.time.isoformat()
            get_logger().warning("refused more, see the journal", session_time=time, owner=record.owner)

    def of(self, symbol: str, what: str) -> str:
        """Return who was refused what, when and why (empty when nobody was)."""
        record = self._records.get((symbol, what)) or self._records.get((symbol, FULL_SYMBOL))
        if record is None:
            return ""
        return f"{record.owner} asked for it at {record.time:%H:%M:%S} and was refused: {' '.join(record.errors)}"


def _outcome(record: ProvisioningRecord) -> str:
    if record.is_pending:
        return "is on its way"
    return "; ".join(record.warnings) or "done" if record.ok else " ".join(record.errors)


def _whole(needs: Needs) -> tuple[str, ...]:
    return (FULL_SYMBOL,) if needs.full_symbol else ()


def _warn_of(record: ProvisioningRecord) -> None:
    get_logger().warning(
        "refused",
        session_time=record.time.isoformat(),
        operation=record.operation_type,
        symbol=record.symbol,
        owner=record.owner,
        intervals=" ".join(record.required_intervals),
        asked=record.reason,
        errors=list(record.errors),
    )
