"""Stored run that is opened for inspection."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from openbell.config import load_config
from openbell.inspection.stored_session import play_stored
from openbell.model.address import place_of
from openbell.model.day import asked_day
from openbell.model.html_page import notebook_page
from openbell.model.html_parts import in_div, items, title
from openbell.results.folder.run_tables import read_tables
from openbell.results.folder.stored_run import read_run
from openbell.results.result_html import numbers_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    import polars as pl

    from openbell.config import SessionConfig
    from openbell.model.address import Place
    from openbell.model.html_page import HtmlPage
    from openbell.results.folder.run_tables import RunTables
    from openbell.results.folder.stored_run import StoredRun
    from openbell.session import SessionData

__all__ = ["OpenedRun", "open_run"]

_MAIN_NUMBERS = ("net_profit", "total_return", "sharpe", "max_drawdown", "trades", "win_rate", "fees")


def open_run(folder: Path | str, *, store: Place | str | None = None) -> OpenedRun:
    """Open the folder of a run, also of one that failed, was stopped or was live.

    Args:
        folder: The folder.
        store: The store, if it is no longer that of the config.

    Raises:
        ConfigError: The folder is none of a run.
    """
    return OpenedRun(read_run(Path(folder)), None if store is None else place_of(store))


class OpenedRun:
    """A run opened from its folder, with its results and any of its sessions.

    Args:
        stored: The run as stored in its folder.
        store: The store, if it is no longer that of the config.

    Attributes:
        path: The folder.
        state: "done", "failed", "interrupted", "unfinished" (it runs, or was killed) or "damaged".
        problem: Why the run is not done; empty when it is.
        days: The sessions that are over.
        performance: The numbers of `Performance` by name, or None when the run did not trade.
    """

    def __init__(self, stored: StoredRun, store: Place | None = None) -> None:
        self.path: Path = stored.path
        self.state: str = stored.state
        self.problem: str = stored.problem
        self.days: tuple[date, ...] = stored.days
        self.performance: Mapping[str, float | None] | None = stored.performance
        self._store = store
        self._name = stored.session_name or stored.path.name
        self._span = f", {self.days[0]} to {self.days[-1]}" if self.days else ""

    def __repr__(self) -> str:
        return f"<OpenedRun {self._name!r}: {len(self.days)} sessions{self._span}, {self.state}>"

    def _repr_html_(self) -> str:
        parts = [title(self._name, f"{len(self.days):,} sessions{self._span}, {self.state}")]
        parts.append(items([self.problem] if self.problem else []))
        if self.performance is not None:
            parts.append(numbers_table(self.performance, _MAIN_NUMBERS))
        return in_div(parts)

    @cached_property
    def config(self) -> SessionConfig:
        """Config of the run, as it was resolved.

        Raises:
            ConfigError: The config cannot be read.
        """
        return load_config(self.path / "config.json")

    @cached_property
    def _tables(self) -> RunTables:
        return read_tables(self.path)

    @property
    def signals(self) -> pl.DataFrame:
        """Signals, a row each."""
        return self._tables.signals

    @property
    def fills(self) -> pl.DataFrame | None:
        """Fills, a row each, or None if the run does not trade."""
        return self._tables.fills

    @property
    def trades(self) -> pl.DataFrame | None:
        """Closed trades, a row each, or None if the run does not trade or has not ended."""
        return self._tables.trades

    @property
    def orders(self) -> pl.DataFrame | None:
        """Orders, a row each, or None if the run does not trade or has not ended."""
        return self._tables.orders

    @property
    def equity(self) -> pl.DataFrame | None:
        """Equity by bar time, or None if the run does not trade or has not ended."""
        return self._tables.equity

    def session(self, day: date | str, *, compare: bool = True) -> SessionData:
        """Return a session as it ended, with all its symbols, series and indicators.

        The session is replayed from the store, or for a live run from its record. Sessions before it are replayed too
        if it depends on their trading or on the states of strategies. Scanners and strategies are called as in the run.

        Args:
            day: The session, as a date or ISO text.
            compare: Whether to raise an error if its journal differs from that of the run.

        Raises:
            ConfigError: The run has no such session, or no store is named.
            StoreError: The store is not there.
            ComponentError: A scanner or strategy raised in an earlier session.
            RunFolderError: The session comes out differently, because store or components have changed.
        """
        return play_stored(self.path, self.config, self.days, asked_day(day), store=self._store, compare=compare)

    def plot(self, symbol: str = "", day: date | str | None = None, *, most_charts: int = 40) -> HtmlPage:
        """Draw equity and drawdown, and trades on candles with stops, targets and the indicators that were kept.

        Args:
            symbol: The only symbol to draw, without the equity; all symbols unless given.
            day: The only session to draw, without the equity; all sessions unless given.
            most_charts: The largest number of charts of candles.

        Returns:
            A page that shows itself in a notebook, and that ``save`` writes to a file.

        Raises:
            ConfigError: The run has no such session.
            DataError: The symbol was in no session of the run.
        """
        only = None if day is None else asked_day(day)
        return notebook_page("run_chart", self.path, store=self._store, symbol=symbol, day=only, most=most_charts)

    def report(self, *, most_charts: int = 40) -> HtmlPage:
        """Return the page that ``openbell report`` writes."""
        return notebook_page("report_page", self.path, store=self._store, most=most_charts)
