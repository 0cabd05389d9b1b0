"""Additions, scans and signals as events, each with its session time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openbell.model.cash_flow import CashFlow
    from openbell.model.fill import Fill
    from openbell.model.order import Order

__all__ = [
    "AskedHistory",
    "Event",
    "ProvisioningRecord",
    "ScanEvent",
    "SignalEvent",
    "StateEvent",
    "StepTiming",
    "local_time",
]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def local_time(time_ns: int, zone: tzinfo) -> datetime:
    """Convert nanoseconds since 1970 UTC to an aware datetime of a time zone, to the microsecond."""
    seconds, rest = divmod(int(time_ns), 1_000_000_000)
    if not rest and seconds >= 0:  # whole seconds, as of bars, are converted in a third of the time
        return datetime.fromtimestamp(seconds, zone)
    return (_EPOCH + timedelta(microseconds=int(time_ns) // 1000)).astimezone(zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class _SessionEvent:
    """Something that happened at a time of the session clock.

    Attributes:
        time_ns: The session clock, nanoseconds since 1970 UTC.
        zone: The time zone of the exchange.
    """

    time_ns: int
    zone: tzinfo

    @property
    def time(self) -> datetime:
        """The session clock as an aware datetime in exchange time."""
        return local_time(self.time_ns, self.zone)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SignalEvent(_SessionEvent):
    """A signal that a strategy gave.

    Attributes:
        session_date: The session.
        symbol: The symbol.
        action: What to do, in the strategy's words.
        reason: Why, for people.
        strategy: The name of the strategy.
        numbers: The quantity, percent, stop, target and limit that the strategy gave, by name.
    """

    session_date: date
    symbol: str
    action: str
    reason: str
    strategy: str
    numbers: Mapping[str, float] = field(default_factory=dict)

    def __repr__(self) -> str:
        what = " ".join([self.action, self.symbol, *(f"{name}={n:.10g}" for name, n in self.numbers.items())])
        return f"<SignalEvent: {what} by {self.strategy}, {self.time}{f': {self.reason}' if self.reason else ''}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class StateEvent(_SessionEvent):
    """State of a strategy, saved because it has changed.

    Attributes:
        session_date: The session.
        strategy: The name of the strategy.
        state: The whole state, as JSON text.
    """

    session_date: date
    strategy: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanEvent(_SessionEvent):
    """One run of a scanner.

    Attributes:
        session_date: The session.
        scanner: The name of the scanner.
        symbols: The symbols that it found; may be empty.
    """

    session_date: date
    scanner: str
    symbols: tuple[str, ...]


class StepTiming(NamedTuple):
    """One step of provisioning that was begun, with its real duration in milliseconds."""

    name: str
    ms: float


class AskedHistory(NamedTuple):
    """History of one interval that an addition asks for.

    Attributes:
        interval: The interval.
        bars: Number of bars that its indicators need as warm-up, or that the config asks for.
        sessions: Number of sessions that the config, a strategy or an indicator asks for.
    """

    interval: str
    bars: int
    sessions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisioningRecord(_SessionEvent):
    """One addition or removal that was asked for, and its outcome.

    Attributes:
        operation_type: "symbol", "bar", "indicator", "remove", "lock", "unlock" or one registered from outside.
        source: The kind of asker: "config", "scanner", "strategy" or one registered from outside.
        owner: The asker's name, such as "strategy EmaCross".
        symbol: The symbol.
        required_intervals: The intervals that it needs, finest first.
        asked: The history that it asks for, one entry for each interval that needs any.
        steps: The steps that were begun, in order; after a failure, the last of them is the one that failed.
        ok: Whether it was carried out in full.
        errors: The reasons of a refusal.
        warnings: Shortfalls in spite of which it was carried out.
        reason: Why it was asked for, for people.
    """

    operation_type: str
    source: str
    owner: str
    symbol: str
    required_intervals: tuple[str, ...] = ()
    asked: tuple[AskedHistory, ...] = ()
    steps: tuple[StepTiming, ...] = ()
    ok: bool
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    reason: str

    @property
    def is_pending(self) -> bool:
        """Whether it is neither carried out nor refused yet, because a live session still waits for its bars."""
        return not self.ok and not self.errors


Event: TypeAlias = "ProvisioningRecord | ScanEvent | SignalEvent | StateEvent | Order | Fill | CashFlow"
"""Everything that happens in an event batch and is written to the run folder."""
