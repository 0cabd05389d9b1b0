"""The corporate actions of a store, in one Parquet file and in memory.

The file is ``<store>/actions/actions.parquet`` with the columns of `ACTION_SCHEMA`, sorted, one row for each symbol,
ex-date and type.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from openbell.actions.table import ACTION_SCHEMA, KEY, Action
from openbell.store import layout
from openbell.store.backing import backing_of
from openbell.store.side_table import SideTable
from openbell.store.write_report import WriteReport
from openbell.timing.grid import date_of, day_number

if TYPE_CHECKING:
    from collections.abc import Collection

    from openbell.model.address import Place

__all__ = ["FAR_FUTURE", "FAR_PAST", "ActionBook", "ActionStore", "SymbolPeriod"]

FAR_PAST, FAR_FUTURE = -(2**40), 2**40
"""Days before and after all others, in days since 1970-01-01."""


class ActionStore:
    """The actions beside the bars of a store.

    May be used from any thread.

    Args:
        store: The store's folder or address.
    """

    def __init__(self, store: Place) -> None:
        self._backing = backing_of(store)
        self._table = SideTable(store, layout.ACTIONS, ACTION_SCHEMA)
        self.path = self._table.path
        self._lock = threading.Lock()
        self._read_at: tuple[int, ...] | None = None
        self._book: ActionBook | None = None

    @property
    def version(self) -> tuple[int, ...]:
        """The stamp of the file, which changes with the actions (empty when there are none)."""
        return self._backing.side_stamp(layout.ACTIONS)

    def book(self, listed: Collection[str] | None = None) -> ActionBook:
        """Return all actions as of now.

        Args:
            listed: The files beside the bars that a manifest lists which was read before.

        Raises:
            DamagedFileError: The file cannot be read, or is not what was stored.
        """
        with self._lock:
            # The stamp first: if the file changes in between, the next comparison of stamps shows that.
            version = self.version
            if self._book is None or version != self._read_at:
                self._book = ActionBook(self._table.read(listed))
                self._read_at = version
            return self._book

    def read(self) -> pl.DataFrame:
        """Read all actions, sorted by symbol, ex-date and type.

        Raises:
            DamagedFileError: As for `book`.
        """
        return self._table.read()

    def write(self, actions: pl.DataFrame) -> WriteReport:
        """Add actions, or replace those of the same symbol, ex-date and type.

        Call it without holding the store's `BarStore.writer`.

        Args:
            actions: Good rows as `check_actions` returns them.

        Returns:
            The numbers of actions added, revised and unchanged. All are on disk when this returns.

        Raises:
            DamagedFileError: The existing file cannot be read, or is not what was stored.
            StoreError: Another process is writing, or the disk is full.
        """
        report = WriteReport()

        def merged(before: pl.DataFrame) -> pl.DataFrame:
            nonlocal report
            report = _compared(actions, before)
            if not (report.added or report.revised):
                return before
            others = before.join(actions, on=KEY, how="anti")
            return pl.concat([others, actions.select(*ACTION_SCHEMA)]).sort(KEY)

        if not actions.is_empty():
            self._table.update(merged)
        return report


@dataclass(frozen=True, slots=True)
class SymbolPeriod:
    """A period for which a security has one symbol.

    Attributes:
        symbol: The symbol.
        first_day: The first day of the period, in days since 1970-01-01; `FAR_PAST` when no earlier name is known.
        last_day: The last day, inclusive; `FAR_FUTURE` when no later name is known.
    """

    symbol: str
    first_day: int
    last_day: int


class ActionBook:
    """Immutable index of actions by symbol.

    Args:
        frame: The columns of `ACTION_SCHEMA`, sorted by symbol and ex-date.
    """

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame[list(ACTION_SCHEMA)]
        self._rows: dict[str, tuple[int, int]] = {}
        # By symbol, each (day, other symbol): the renames from it, and those to it.
        self._new_names: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self._old_names: dict[str, list[tuple[int, str]]] = defaultdict(list)
        if frame.is_empty():  # a run on a store without actions need not load the query engine of polars
            return
        runs = frame["symbol"].rle().struct.unnest()
        ends = runs["len"].cum_sum().to_list()
        self._rows.update(zip(runs["value"], zip([0, *ends[:-1]], ends, strict=False), strict=False))
        renames = frame.filter(frame["type"] == "rename").select("symbol", "ex_date", "new_symbol")
        for old, ex_date, new in renames.iter_rows():
            self._new_names[old].append((day_number(ex_date), new))
            self._old_names[new].append((day_number(ex_date), old))

    @property
    def symbols(self) -> tuple[str, ...]:
        """All symbols with actions, sorted."""
        return tuple(self._rows)

    @property
    def new_names(self) -> tuple[str, ...]:
        """All names that securities were renamed to, sorted."""
        return tuple(sorted(self._old_names))

    def naming(self, symbol: str) -> tuple[Action, ...]:
        """Return the actions of a symbol and the renames to it, by ex-date."""
        renames = (self.rename(old, at) for at, old in self._old_names.get(symbol, ()))
        return tuple(sorted((*self.of(symbol), *renames), key=lambda action: (action.ex_date, action.type)))

    def of(self, symbol: str) -> tuple[Action, ...]:
        """Return the actions recorded under a symbol, by ex-date."""
        first, after = self._rows.get(symbol, (0, 0))
        return tuple(Action(*row) for row in self._frame.slice(first, after - first).rows()) if after else ()

    def was_renamed(self, name: str) -> bool:
        """Return whether any security was renamed to or from this name."""
        return name in self._new_names or name in self._old_names

    def left(self, name: str, after: int, through: int) -> bool:
        """Return whether a security gave up this name after one day and up to another, inclusive."""
        return any(after < day <= through for day, _ in self._new_names.get(name, ()))

    def chain(self, name: str, day: int) -> tuple[SymbolPeriod, ...]:
        """Return all symbol periods of the security named ``name`` on ``day``, in order."""
        first, before = self._began(name, day)
        last, after = self._ended(name, day)
        names = [SymbolPeriod(name, first, last)]
        while before is not None:
            end, old = first - 1, before
            first, before = self._began(old, end)
            names.insert(0, SymbolPeriod(old, first, end))
        while after is not None:
            begin, new = last + 1, after
            last, after = self._ended(new, begin)
            names.append(SymbolPeriod(new, begin, last))
        return tuple(names)

    def renamed_from(self, name: str, day: int) -> str | None:
        """Return the old name of the rename to ``name`` on ``day``, or None when there is no such rename."""
        return next((old for at, old in self._old_names.get(name, ()) if at == day), None)

    def hint(self, name: str, day: int) -> str:
        """Return advice on a name that no security has on ``day``.

        It begins with a blank and names the symbol to use instead; it is empty when no rename is known.
        """
        left = max(((at, new) for at, new in self._new_names.get(name, ()) if at <= day), default=None)
        if left is not None:
            now = next(p.symbol for p in self.chain(left[1], left[0]) if p.first_day <= day <= p.last_day)
            return f" Its name is {left[1]} since {date_of(left[0])}: ask for {now}."
        coming = min(((at, old) for at, old in self._old_names.get(name, ()) if at > day), default=None)
        if coming is None:
            return ""
        names = self.chain(coming[1], coming[0] - 1)
        before = next((p.symbol for p in names if p.first_day <= day <= p.last_day), coming[1])
        return f" It has that name since {date_of(coming[0])}: before, ask for {before}."

    def rename(self, old: str, day: int) -> Action:
        """Return the rename from ``old`` on a day."""
        return next(a for a in self.of(old) if a.type == "rename" and day_number(a.ex_date) == day)

    def _began(self, name: str, day: int) -> tuple[int, str | None]:
        """Return the first day of a security's name, and its earlier name or None."""
        came = max(((at, old) for at, old in self._old_names.get(name, ()) if at <= day), default=None)
        left = max((at for at, _ in self._new_names.get(name, ()) if at <= day), default=FAR_PAST)
        return came if came is not None and came[0] >= left else (left, None)

    def _ended(self, name: str, day: int) -> tuple[int, str | None]:
        """Return the last day of a security's name, and its later name or None."""
        left = min(((at, new) for at, new in self._new_names.get(name, ()) if at > day), default=None)
        came = min((at for at, _ in self._old_names.get(name, ()) if at > day), default=FAR_FUTURE + 1)
        return (left[0] - 1, left[1]) if left is not None and left[0] <= came else (came - 1, None)


def _compared(actions: pl.DataFrame, before: pl.DataFrame) -> WriteReport:
    """Return how many actions are new, changed and unchanged."""
    both = actions.join(before, on=KEY, how="inner", suffix="_before")
    values = [name for name in ACTION_SCHEMA if name not in KEY]
    changed = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_before")) for name in values)
    revised = both.filter(changed).height
    return WriteReport(actions.height - both.height, revised, both.height - revised)
