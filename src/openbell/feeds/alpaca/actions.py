"""Corporate actions of the symbols of an Alpaca feed, by which history is adjusted."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import polars as pl

from openbell.actions.table import check_actions
from openbell.errors import DataError
from openbell.vendors.answer_checks import wrong_actions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from openbell.vendors.alpaca import AlpacaSource

__all__ = ["ActionsOf"]


class ActionsOf:
    """Requests the actions of each symbol once, as far back as its history goes.

    May be used from any thread.

    Args:
        source: The source of the actions.
    """

    def __init__(self, source: AlpacaSource) -> None:
        self._source = source
        self._since: dict[str, date] = {}
        self._lock = threading.Lock()

    def of(self, symbols: Sequence[str], first: date, last: date) -> tuple[dict[str, pl.DataFrame], str]:
        """Return actions not returned before by symbol, and a text about problems, empty without any.

        Renames are left out: Alpaca gives the bars of a symbol's earlier names under its present one.
        """
        with self._lock:
            new = [each for each in dict.fromkeys(symbols) if each not in self._since or first < self._since[each]]
            self._since.update(dict.fromkeys(new, first))
        if not new or first > last:
            return {}, ""
        try:
            frame = self._source.actions(new, first, last).frame
        except DataError as exc:
            return {}, f"corporate actions are unavailable, so that prices before a split are not adjusted: {exc}"
        frame = frame.filter(~wrong_actions(frame, new, first, last), pl.col("type") != "rename")
        checked = check_actions(frame)
        words = f"{checked.bad.height} corporate actions are invalid and left out" if checked.bad.height else ""
        by_symbol = checked.good.partition_by("symbol", as_dict=True)
        return {str(key[0]): rows for key, rows in by_symbol.items()}, words
