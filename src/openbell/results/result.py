"""Typed results of runs and sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openbell.model.html_page import notebook_page
from openbell.results.folder.as_json import day_json, run_json
from openbell.results.mapping import JsonMapping
from openbell.results.symbol import IndicatorResult, SeriesResult, SymbolResult

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, tzinfo

    from openbell.model.events import ProvisioningRecord, ScanEvent, SignalEvent
    from openbell.model.html_page import HtmlPage
    from openbell.model.json_object import JsonObject
    from openbell.model.trade import Trade
    from openbell.results.measures.performance import Performance
    from openbell.results.trading import DayTrading, RunTrading

__all__ = ["DayResult", "IndicatorResult", "RunResult", "SeriesResult", "SymbolResult"]


@dataclass(frozen=True, eq=False)
class DayResult(JsonMapping):
    """One session of a run.

    It is also a read-only mapping equal to its entry in ``summary.json``. Times are nanoseconds since 1970 UTC.

    Attributes:
        date: The session.
        zone: The time zone of the exchange.
        open_ns: Start of the regular hours.
        close_ns: End of the regular hours.
        first_ns: Start of trading, extended hours included.
        last_ns: End of trading, extended hours included.
        symbols: The symbols at the close, in the order in which they came.
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

    def _repr_html_(self) -> str:
        from openbell.results.result_html import day_html

        return day_html(self)

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
        warnings: Warnings about calendar, data and config, and about observers that failed.
        store_label: The label of the store, such as "SYNTHETIC DATA"; None when it has none.
        error: Why the run failed or was interrupted; None when it did not.
        days: The sessions that are over.
        load_s: Time spent preparing the sessions, in seconds of the machine's time.
        run_s: Time spent running them.
        trading: Its trading; None in a run that does not trade.
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

    def _repr_html_(self) -> str:
        from openbell.results.result_html import run_html

        return run_html(self)

    @property
    def performance(self) -> Performance | None:
        """Numbers by which the run is judged, or None in a run that does not trade."""
        return None if self.trading is None else self.trading.performance

    @property
    def trades(self) -> tuple[Trade, ...]:
        """Trades that were closed, session by session."""
        return tuple(trade for day in self.days if day.trading is not None for trade in day.trading.trades)

    def plot(self) -> HtmlPage:
        """Draw equity and drawdown.

        `openbell.open_run` draws trades on their candles as well, of a run that was written to a folder.

        Raises:
            DataError: It has not traded, or no session came to its end.
        """
        return notebook_page("result_chart", self)

    def to_dict(self) -> JsonObject:
        """Return the object that ``summary.json`` holds."""
        return run_json(self)
