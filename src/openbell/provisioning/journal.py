"""Journal of provisioning, with a record per addition or removal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openbell.model.events import ProvisioningRecord

__all__ = ["Journal"]


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

    def __iter__(self) -> Iterator[ProvisioningRecord]:
        return iter(self._records)
