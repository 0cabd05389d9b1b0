"""The protocol of vendors that bars are fetched from, and their errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from openbell.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import polars as pl

__all__ = ["BarSource", "FetchedActions", "RequestRejectedError", "SourceRefusedError"]


class RequestRejectedError(DataError):
    """The source rejects a request, which may succeed without some of its symbols."""


class SourceRefusedError(DataError):
    """The source refuses the account, or all requests for now.

    Further requests make no sense.
    """


@dataclass(frozen=True)
class FetchedActions:
    """Corporate actions as a source sent them.

    Attributes:
        frame: The columns of `ACTION_SCHEMA`, and ``line``.
        others: By kind, the number of actions that openbell does not apply, such as mergers.
    """

    frame: pl.DataFrame
    others: Mapping[str, int]


class BarSource(Protocol):
    """A vendor of bars, whose methods several threads may call at once."""

    @property
    def name(self) -> str:
        """The name as people write it."""
        ...

    @property
    def origin(self) -> str:
        """The server and the feed, as text.

        Sessions without bars are recorded per origin, because another one may have bars of them.
        """
        ...

    def bars(self, symbols: Sequence[str], interval: str, first: date, last: date) -> Mapping[str, pl.DataFrame]:
        """Return raw bars by symbol, with the columns of `BAR_SCHEMA`, ``line`` and perhaps ``reason``."""
        ...

    def actions(self, symbols: Sequence[str], first: date, last: date) -> FetchedActions:
        """Return corporate actions with an ex-date from ``first`` to ``last``, both inclusive."""
        ...

    def stop(self) -> None:
        """Send no more requests, and end calls in other threads that wait."""
        ...
