"""The protocol of a vendor that bars are fetched from, and its errors."""

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
    """The source does not take a request as it is.

    Without some of its symbols, it may.
    """


class SourceRefusedError(DataError):
    """The source refuses the account, so that it makes no sense to ask it anything else."""


@dataclass(frozen=True)
class FetchedActions:
    """Corporate actions as a source gave them.

    Attributes:
        frame: The columns of `ACTION_SCHEMA`, and ``line``.
        others: By kind, how many actions there are that openbell does not apply, such as mergers.
    """

    frame: pl.DataFrame
    others: Mapping[str, int]


class BarSource(Protocol):
    """A vendor that several threads ask at once."""

    @property
    def name(self) -> str:
        """The name for people."""
        ...

    @property
    def origin(self) -> str:
        """The server and the feed.

        Another origin may have bars that this one has not.
        """
        ...

    def bars(self, symbols: Sequence[str], interval: str, first: date, last: date) -> Mapping[str, pl.DataFrame]:
        """Return raw bars by symbol, with the columns of `BAR_SCHEMA`, ``line`` and perhaps ``reason``."""
        ...

    def actions(self, symbols: Sequence[str], first: date, last: date) -> FetchedActions:
        """Return corporate actions with an ex-date from first to last."""
        ...

    def stop(self) -> None:
        """End what waits."""
        ...
