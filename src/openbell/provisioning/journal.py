"""The journal: one record for every addition and removal that was asked for, whatever came of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Journal", "ProvisioningRecord", "StepTiming"]


@dataclass(frozen=True, slots=True)
class StepTiming:
    """One step that was begun, and how long it took in milliseconds of the machine's time."""

    name: str
    ms: float


@dataclass(frozen=True, slots=True)
class ProvisioningRecord:
    """What was asked, what it took, and what came of it.

    Attributes:
        time: The session clock in exchange time, ISO 8601 with its offset.
        operation_type: "symbol", "bar", "indicator", "remove", "lock" ...
        source: Who asked: "config", "scanner", "strategy" ...
        owner: Who in particular.
        symbol: The symbol.
        required_intervals: The intervals that it takes.
        steps: The steps that were begun, in order; when one failed, it is the last.
        ok: Whether all that was asked for is there now.
        errors: Why not.
        warnings: What is less than was asked for.
        reason: Why it was asked, for people.
    """

    time: str
    operation_type: str
    source: str
    owner: str
    symbol: str
    required_intervals: tuple[str, ...]
    steps: tuple[StepTiming, ...]
    ok: bool
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON can hold it."""
        return {
            "time": self.time,
            "operation_type": self.operation_type,
            "source": self.source,
            "owner": self.owner,
            "symbol": self.symbol,
            "required_intervals": list(self.required_intervals),
            "steps": [{"name": step.name, "ms": step.ms} for step in self.steps],
            "ok": self.ok,
            "errors": list(self.errors),
            "warnings": list(self.warnings),
            "reason": self.reason,
        }


class Journal:
    """The records of a run, in the order in which they happened.

    Args:
        sink: An open text file that gets every record as one JSON line at once, so that a stop loses none.
        listener: Is called with every record.
    """

    def __init__(
        self, sink: TextIO | None = None, listener: Callable[[ProvisioningRecord], None] | None = None
    ) -> None:
        self._records: list[ProvisioningRecord] = []
        self._sink = sink
        self._listener = listener

    def append(self, record: ProvisioningRecord) -> None:
        """Add a record."""
        self._records.append(record)
        if self._sink is not None:
            self._sink.write(json.dumps(record.to_dict()) + "\n")
            self._sink.flush()
        if self._listener is not None:
            self._listener(record)

    @property
    def records(self) -> tuple[ProvisioningRecord, ...]:
        """All records so far."""
        return tuple(self._records)

    def since(self, mark: int) -> tuple[ProvisioningRecord, ...]:
        """The records from number ``mark`` on; ``len(journal)`` before gives the mark."""
        return tuple(self._records[mark:])

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[ProvisioningRecord]:
        return iter(self._records)
