"""Stored run that is opened to be looked at."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from openbell.config import load_config
from openbell.inspection.stored_session import play_stored
from openbell.model.address import place_of
from openbell.model.day import asked_day
from openbell.model.html_page import drawn
from openbell.model.html_parts import items, title, whole
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

_LOOKED_AT_FIRST = ("net_profit", "total_return", "sharpe", "max_drawdown", "trades", "win_rate", "fees")


def open_run(folder: Path | str, *, store: Place | str | None = None) -> OpenedRun:
    """Open the folder of a run, also of one that failed, was stopped or was live.

    Args:
        folder: The folder.
        store: The store, where it is no longer the config's.

    Raises:
        ConfigError: It is no folder of a run.
    """
    return OpenedRun(read_run(Path(folder)), None if store is None else place_of(store))


class OpenedRun:
    """A run in its folder, with what it wrote and any of its sessions.

    Args:
        stored: The run as its folder shows it.
        store: The store, where it is no longer the config's.

    Attributes:
        path: The folder.
        state: "done", "failed", "interrupted", "unfinished" (it runs, or was killed) or "damaged".
        problem: Why it is not done; empty when it is.
        days: The sessions that are over.
        performance: The numbers of `Performance` by name, or None when it did not trade.
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
            parts.append(numbers_table(self.performance, _LOOKED_AT_FIRST))
        return whole(parts)

    @cached_property
    def config(self) -> SessionConfig:
        """The config as it was resolved.

        Raises:
            ConfigError: It cannot be read.
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
        """Fills, a row each, or None of a run that does not trade."""
        return self._tables.fills

    @property
    def trades(self) -> pl.DataFrame | None:
        """Closed trades, a row each, or None of a run that does not trade or has not come to its end."""
        return self._tables.trades

    @property
    def orders(self) -> pl.DataFrame | None:
        """Orders, a row each, or None likewise."""
        return self._tables.orders

    @property
    def equity(self) -> pl.DataFrame | None:
        """Equity by bar time, or None likewise."""
        return self._tables.equity

    def session(self, day: date | str, *, compare: bool = True) -> SessionData:
        """Return a session as it ended, with all its symbols, series and indicators.

        It is played again from the store, or of a live run from what it recorded: the session alone, or with those
        before it where trading or the state of a strategy joins them. Scanners and strategies are called as in the run.

        Args:
            day: The session, as a date or ISO text.
            compare: Whether its journal has to be that of the run, or else an error is raised.

        Raises:
            ConfigError: The run has no such session, or its store is not named.
            StoreError: The store is not there.
            ComponentError: A scanner or strategy raised, in an earlier session than this.
            RunFolderError: The session comes out otherwise than it did: store or components have changed.
        """
        return play_stored(self.path, self.config, self.days, asked_day(day), store=self._store, compare=compare)

    def plot(self, symbol: str = "", day: date | str | None = None, *, most_charts: int = 40) -> HtmlPage:
        """Draw equity and drawdown, and trades on their candles with stops, targets and the indicators that were kept.

        Args:
            symbol: The only symbol, without the equity; all unless given.
            day: The only session, likewise.
            most_charts: The most charts of candles.

        Returns:
            A page that shows itself in a notebook, and that ``save`` writes to a file.

        Raises:
            ConfigError: The run has no such session.
            DataError: The symbol was in no session of the run.
        """
        only = None if day is None else asked_day(day)
        return drawn("run_chart", self.path, store=self._store, symbol=symbol, day=only, most=most_charts)

    def report(self, *, most_charts: int = 40) -> HtmlPage:
        """Return the page that ``openbell report`` writes."""
        return drawn("report_page", self.path, store=self._store, most=most_charts)
