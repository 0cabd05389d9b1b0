"""Terminal report of a run, session by session."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from openbell.cli.output.provisioning_view import count_refusals, count_warnings, refusals_of
from openbell.cli.output.session_view import session_views
from openbell.cli.terminal.console import show
from openbell.cli.terminal.tables import clock, counted, label_of, percent
from openbell.engine.observer import SessionObserver
from openbell.model.events import local_time
from openbell.results.wide_sessions import lowest_quality

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from datetime import date

    from openbell.config.execution import ExecutionConfig
    from openbell.model.events import ProvisioningRecord
    from openbell.results.result import DayResult, RunResult
    from openbell.session import SessionData

__all__ = ["RunReport"]

_MOST_SESSIONS_IN_FULL = 5


class _Column(NamedTuple):
    """A column of the overview of sessions.

    Attributes:
        name: Its heading.
        width: Its width in characters.
        right: Whether it is right-aligned.
        rank: On a narrow terminal, columns of low rank are left out first.
    """

    name: str
    width: int
    right: bool
    rank: int


_COLUMNS = (
    _Column("session", 10, False, 9),
    _Column("hours", 14, False, 1),
    _Column("symbols", 7, True, 4),
    _Column("dropped", 7, True, 7),
    _Column("refused", 7, True, 3),
    _Column("warned", 6, True, 6),
    _Column("lowest quality", 14, True, 5),
    _Column("bars", 9, True, 8),
    _Column("calls", 8, True, 0),
    _Column("signals", 7, True, 8),
)
_TRADING_COLUMNS = (
    _Column("fills", 6, True, 8),
    _Column("P&L", 11, True, 9),
    _Column("equity", 14, True, 9),
)


class RunReport(SessionObserver):
    """Prints each session to stdout when it ends.

    Up to five sessions are printed in full. Of more, each is printed as one line, and the last one also in full.

    Args:
        paused: Returns a context manager that hides a progress bar while something is printed.
        execution: The section ``execution`` of the config; None when nothing is traded.
        everything: Whether all symbols are printed even if they are many, not only those with irregularities.

    Attributes:
        store_label: The label of the store that the run reads; None when it has none.
    """

    def __init__(
        self,
        paused: Callable[[], AbstractContextManager[None]],
        execution: ExecutionConfig | None = None,
        *,
        everything: bool = False,
    ) -> None:
        self.store_label: str | None = None
        self._paused = paused
        self._execution = execution
        self._everything = everything
        self._columns = _COLUMNS if execution is None else (*_COLUMNS, *_TRADING_COLUMNS)
        self._count = 0
        self._first: DayResult | None = None
        self._last: DayResult | None = None
        self._unfinished: list[ProvisioningRecord] = []

    @property
    def _label(self) -> str:
        return label_of(self.store_label)

    @property
    def _is_long(self) -> bool:
        return self._count > _MOST_SESSIONS_IN_FULL

    def run_started(self, days: list[date]) -> None:
        """Choose the form by the number of sessions."""
        self._count = len(days)

    def provisioned(self, record: ProvisioningRecord) -> None:
        """Keep a record of the session, to print its refusals if the session does not end."""
        self._unfinished.append(record)

    def day_ended(self, result: DayResult, session_data: SessionData) -> None:  # noqa: ARG002 -- the signature
        """Print the session in full or as a line."""
        self._unfinished.clear()
        with self._paused():
            if not self._is_long:
                self._print_in_full(result)
            else:
                if self._first is None:
                    show(f"[bold]{self._count} sessions{self._label}[/]")
                    self._print_row([column.name for column in self._columns], "dim")
                self._print_row(_cells(result))
        self._first = self._first or result
        self._last = result

    def finish(self, result: RunResult) -> None:
        """Print the last of many sessions in full, the earnings of the run, and the durations.

        If the run failed, the refusals of its unfinished session are printed as well.
        """
        self._print_last()
        self._print_trading(result)
        self._print_durations(result)
        for line in refusals_of(self._unfinished):
            show(line)

    def _print_last(self) -> None:
        if self._last is None:
            return
        if self._is_long:
            show()
            self._first = None
            self._print_in_full(self._last)

    def _print_trading(self, result: RunResult) -> None:
        if result.trading is None or self._execution is None or not result.days:
            return
        from openbell.cli.output.trading_view import run_trading_views

        days = [day.trading for day in result.days if day.trading is not None]
        span = f"{result.days[0].date} to {result.days[-1].date}"
        title = f"The run, {counted(len(result.days), 'session')}, {span}{self._label}"
        for view in run_trading_views(result.trading, days, self._execution, title, is_live=result.mode == "live"):
            show(view)

    def _print_durations(self, result: RunResult) -> None:
        if self._last is None:
            return
        done = len(result.days)
        part = "" if done == self._count else f"{done} of {self._count} sessions are done; "
        show(f"{part}loading {result.load_s:.2f} s, running {result.run_s:.2f} s")

    def _print_in_full(self, day: DayResult) -> None:
        for view in session_views(day, self._label, self._first, everything=self._everything):
            show(view)

    def _print_row(self, cells: list[str], style: str = "") -> None:
        from openbell.cli.terminal.console import out

        shown = _columns_that_fit(self._columns, out.width)
        padded = [
            cell.rjust(column.width) if column.right else cell.ljust(column.width)
            for cell, column in zip(cells, self._columns, strict=True)
            if column in shown
        ]
        show("  ".join(padded).rstrip(), style=style, markup=False)


def _columns_that_fit(of: tuple[_Column, ...], width: int) -> list[_Column]:
    """Return the columns that fit a terminal, leaving out those of low rank first."""
    columns = list(of)
    while len(columns) > 1 and sum(column.width + 2 for column in columns) - 2 > width:
        columns.remove(min(columns, key=lambda column: column.rank))
    return columns


def _cells(day: DayResult) -> list[str]:
    worst = lowest_quality(day)
    opened, close = (clock(local_time(ns, day.zone), seconds=False) for ns in (day.open_ns, day.close_ns))
    return [
        day.date.isoformat(),
        f"{opened} to {'24:00' if close == '00:00' else close}",
        f"{len(day.symbols):,}",
        str(len(day.dropped)),
        str(count_refusals(day)),
        str(count_warnings(day)),
        f"{worst[1]} {percent(worst[0])}" if worst else "-",
        f"{day.bars_streamed:,}",
        f"{day.callbacks:,}",
        f"{len(day.signals):,}",
        *_trading_cells(day),
    ]


def _trading_cells(day: DayResult) -> list[str]:
    traded = day.trading
    return [] if traded is None else [f"{len(traded.fills):,}", f"{traded.pnl:+,.2f}", f"{traded.end_equity:,.2f}"]
