"""Typed results of runs, sessions and symbols."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from openbell.results.as_json import day_json, run_json
from openbell.results.mapping import JsonMapping

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, tzinfo

    from openbell.actions import Action
    from openbell.market_data.completeness import Gap
    from openbell.model.events import ProvisioningRecord, ScanEvent, SignalEvent
    from openbell.model.json_object import JsonObject
    from openbell.model.trade import Trade
    from openbell.results.performance import Performance
    from openbell.results.trading import DayTrading, RunTrading

__all__ = ["DayResult", "IndicatorResult", "RunResult", "SeriesResult", "SymbolResult"]


class SeriesResult(NamedTuple):
    """One bar series of a symbol at the end of a session.

    Attributes:
        derived: Whether its bars are built from those of ``base``.
        base: The stored interval of a derived series; None for stored bars.
        historical_rows: Bars from before the session.
        session_rows: Bars that closed in the session.
        synthetic_rows: Bars among both that fill gaps.
        quality: Share of the session's expected bars that are there, 0 to 100; None when not scored.
        historical_quality: The same of the history.
        gaps: The missing bars, those of the history first.
        partial_rows: Bars of a derived series that were made of fewer bars than the calendar expects.
    """

    derived: bool
    base: str | None
    historical_rows: int
    session_rows: int
    synthetic_rows: int
    quality: float | None
    historical_quality: float | None
    gaps: tuple[Gap, ...]
    partial_rows: int = 0


class IndicatorResult(NamedTuple):
    """One indicator of a symbol at the end of a session.

    Attributes:
        interval: The interval that it reads.
        valid: Whether it has a value.
        settled: Whether its starting point no longer shows in the value.
        value: The last value; by output when there are several; None when not valid.
        lookback: Bars that its first value takes.
        warmup_bars: Bars of history that it was computed over.
    """

    interval: str
    valid: bool
    settled: bool
    value: float | dict[str, float] | None
    lookback: int
    warmup_bars: int


@dataclass(frozen=True, slots=True)
class SymbolResult:
    """One symbol at the end of a session.

    Attributes:
        meets_session_config_requirements: Whether it is full: has all that the config asks of every symbol.
        added_by: The source that brought it: "config", "scanner", "strategy" ...
        auto_provisioned: Whether an addition of bars or of an indicator created it.
        upgraded_from_adhoc: Whether it was ad hoc before it became full.
        reason: Why it is here, for people.
        base_interval: The finest stored interval that it streams; None without bars.
        adjustment: What prices of earlier days are adjusted for: "raw", "split" or "total".
        actions: The corporate actions that changed its bars or its name, by ex-date.
        bars: Its series by interval, finest first.
        indicators: Its indicators by key.
    """

    meets_session_config_requirements: bool
    added_by: str
    auto_provisioned: bool
    upgraded_from_adhoc: bool
    reason: str
    base_interval: str | None
    adjustment: str
    actions: tuple[Action, ...]
    bars: Mapping[str, SeriesResult]
    indicators: Mapping[str, IndicatorResult]

    @property
    def base_bars(self) -> SeriesResult | None:
        """The series of the interval that it streams, or None without bars."""
        return self.bars.get(self.base_interval or "")


@dataclass(frozen=True, eq=False)
class DayResult(JsonMapping):
    """One session of a run.

    It is also a read-only mapping equal to its entry in ``summary.json``. Times are nanoseconds since 1970 UTC.

    Attributes:
        date: The session.
        zone: The time zone of the exchange.
        open_ns: Begin of the regular hours.
        close_ns: End of the regular hours.
        first_ns: Begin of trading, extended hours included.
        last_ns: End of trading, extended hours included.
        symbols: The symbols as at the close, in the order in which they came.
        dropped: Symbols of the config that could not be provisioned, with all errors.
        provisioning: The session's journal.
        signals: The signals that strategies gave.
        scans: The runs of scanners.
        bars_streamed: Bars of stored intervals that closed in the session.
        callbacks: Calls of ``on_bar`` and ``on_slice``.
        trading: Orders, fills, trades and equity; None in a run that does not trade.
    """

    date: date
    zone: tzinfo
    open_ns: int
    close_ns: int
    first_ns: int
    last_ns: int
    symbols: Mapping[str, SymbolResult]
    dropped: Mapping[str, tuple[str, ...]]
    provisioning: tuple[ProvisioningRecord, ...]
    signals: tuple[SignalEvent, ...]
    scans: tuple[ScanEvent, ...]
    bars_streamed: int
    callbacks: int
    trading: DayTrading | None = None

    def __repr__(self) -> str:
        return f"<DayResult {self.date}: {len(self.symbols)} symbols, {len(self.signals)} signals>"

    def to_dict(self) -> JsonObject:
        """Return the session's entry in ``summary.json``."""
        return day_json(self)


@dataclass(frozen=True, eq=False)
class RunResult(JsonMapping):
    """The result of a run, which is also a read-only mapping equal to ``summary.json``.

    Attributes:
        session_name: From the config.
        mode: From the config.
        exchange: From the config.
        warnings: Oddities of calendar, data and config, and observers that failed.
        store_label: The label of the store, such as "SYNTHETIC DATA"; None when it has none.
        error: Why the run failed or was interrupted; None when it did not.
        days: The sessions that are over.
        load_s: Time spent preparing the sessions, in seconds of the machine's time.
        run_s: Time spent running them.
        trading: What it earned; None in a run that does not trade.
    """

    session_name: str
    mode: str
    exchange: str
    warnings: tuple[str, ...]
    store_label: str | None
    error: str | None
    days: tuple[DayResult, ...]
    load_s: float
    run_s: float
    trading: RunTrading | None = None

    def __repr__(self) -> str:
        failed = f", {self.error}" if self.error else ""
        signals = sum(len(day.signals) for day in self.days)
        return f"<RunResult {self.session_name!r}: {len(self.days)} sessions, {signals} signals{failed}>"

    @property
    def performance(self) -> Performance | None:
        """Numbers of what it earned, or None in a run that does not trade."""
        return None if self.trading is None else self.trading.performance

    @property
    def trades(self) -> tuple[Trade, ...]:
        """Trades that were closed, session by session."""
        return tuple(trade for day in self.days if day.trading is not None for trade in day.trading.trades)

    def to_dict(self) -> JsonObject:
        """Return the object that ``summary.json`` holds."""
        return run_json(self)
