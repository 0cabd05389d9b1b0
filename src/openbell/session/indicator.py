"""Values of one indicator of one symbol, seen up to the session clock."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from openbell.errors import UnknownNameError
from openbell.model.frozen import Frozen
from openbell.model.opaque_columns import opaque
from openbell.session.not_a_number import NotANumber
from openbell.session.series import all_bars, cursor_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from openbell.session.cursor import Cursor
    from openbell.session.series import BarIntervalData

__all__ = ["IndicatorData", "all_values", "grow_values", "has_settled", "moved_to"]


class IndicatorData(NotANumber, Frozen):
    """Indicator on one series, computed over all its bars and revealed as they close.

    Its attributes cannot be set, and its arrays give no access to later values.

    Attributes:
        key: The key, e.g. "sma_20_5m".
        series: The series that it reads.
        lookback: Bars that it needs for its first value.
        settling: Further bars until its starting point no longer shows; 0 when it is not recursive, None when it never
            settles (cumulative: it counts from `anchor_row` on).
        anchor_row: The row of `series` where its computation starts.

    Args:
        columns: Its values by output, one per bar of the series, those after the session clock included.
        skipped: Per row of the series, and for the row after the last, the number of rows before it that were not read
            (such as synthetic bars, over which the values do not change); None when all were read.
        ahead_of_today: For a session-aware indicator, the number of today's rows before the first with a value of
            today; None for others.
        before_first: Returns the value by output as long as no bar after those rows has closed; None when there is no
            value until then.
    """

    __slots__ = (
        "_ahead_of_today",
        "_before_first",
        "_columns",
        "_cursor",
        "_first_row",
        "_single",
        "_skipped",
        "anchor_row",
        "key",
        "lookback",
        "series",
        "settling",
    )

    key: str
    series: BarIntervalData
    lookback: int
    settling: int | None
    anchor_row: int
    _ahead_of_today: int | None
    _before_first: Callable[[], dict[str, float]] | None
    _first_row: int
    _columns: Mapping[str, NDArray[np.float64]]
    _cursor: Cursor
    _single: memoryview | None
    _skipped: NDArray[np.int64] | None

    def __init__(
        self,
        key: str,
        series: BarIntervalData,
        columns: Mapping[str, NDArray[np.float64]],
        *,
        lookback: int,
        settling: int | None,
        anchor_row: int = 0,
        skipped: NDArray[np.int64] | None = None,
        ahead_of_today: int | None = None,
        before_first: Callable[[], dict[str, float]] | None = None,
    ) -> None:
        _set_key(self, key)
        _set_series(self, series)
        _set_columns(self, columns)
        _set_lookback(self, lookback)
        _set_settling(self, settling)
        _set_anchor_row(self, anchor_row)
        _set_skipped(self, skipped)
        _set_ahead_of_today(self, ahead_of_today)
        _set_first_row(self, 0 if ahead_of_today is None else series.today_row + ahead_of_today)
        _set_before_first(self, before_first)
        column = None
        for column in columns.values():
            column.flags.writeable = False
        _set_cursor(self, cursor_of(series))
        # A memoryview returns Python floats in half the time of NumPy's item().
        _set_single(self, column.data if column is not None and len(columns) == 1 else None)

    def __reduce__(self) -> NoReturn:
        # A copy would include the values after the session clock.
        raise TypeError(f"{self!r} cannot be pickled or copied; its values can: indicator.values")

    @property
    def value(self) -> float | dict[str, float] | None:
        """Value at the last closed bar, by output when there are several (None while it is not valid)."""
        # `Cursor.position`, written out because strategies read the value at every bar.
        cursor = self._cursor
        seen, position = cursor.at
        if seen != cursor.clock.now_ns:
            position = cursor.position
        if position > self._first_row and self._single is not None:
            number = self._single[position - 1]
            return number if number - number == 0.0 else None  # NaN and infinity are not valid
        if position > self._first_row:
            return _valid({name: column.item(position - 1) for name, column in self._columns.items()})
        return self._value_before_first()

    def _value_before_first(self) -> float | dict[str, float] | None:
        """Return the value before the first value of today, None if there is none."""
        numbers = None if self._before_first is None else _valid(self._before_first())
        return next(iter(numbers.values())) if numbers and self._single is not None else numbers

    @property
    def valid(self) -> bool:
        """Whether the lookback is met."""
        return self.value is not None

    @property
    def settled(self) -> bool:
        """Whether its starting point no longer shows in the value."""
        return self.valid and has_settled(self)

    @property
    def warmup_bars(self) -> int:
        """Bars of history, before today's session, that it was computed over."""
        return max(self._bars_read(self.series.today_row), 0)

    def _bars_read(self, row: int) -> int:
        """Count the bars before ``row`` that it was computed over."""
        rows = row - self.anchor_row
        return rows if self._skipped is None else rows - int(self._skipped[row] - self._skipped[self.anchor_row])

    @property
    def values(self) -> NDArray[np.float64]:
        """Values of the first output up to the last closed bar, NaN where it is not valid."""
        return opaque(next(iter(self._columns.values()))[: self.series.cursor])

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the outputs."""
        return tuple(self._columns)

    def output(self, name: str) -> NDArray[np.float64]:
        """Return the values of one output up to the last closed bar.

        Raises:
            UnknownNameError: The indicator has no such output.
        """
        return opaque(all_values(self, name)[: self.series.cursor])

    def _repr_html_(self) -> str:
        from openbell.session.session_html import indicator_html

        return indicator_html(self)

    def __repr__(self) -> str:
        return f"<IndicatorData {self.series.symbol} {self.key}: {self.value}>"


def _valid(numbers: dict[str, float]) -> dict[str, float] | None:
    """Return the numbers, or None unless all are finite."""
    return numbers if all(map(isfinite, numbers.values())) else None


def has_settled(indicator: IndicatorData) -> bool:
    """Return whether an indicator has read lookback and settling length, for the engine only."""
    if indicator.settling is None:
        return False
    read = indicator._bars_read(indicator.series.cursor)  # noqa: SLF001 -- the only access
    return indicator.settling == 0 or read >= indicator.lookback + indicator.settling


def all_values(indicator: IndicatorData, output: str = "") -> NDArray[np.float64]:
    """Return all values of an output, today's future included, for the engine only.

    Args:
        indicator: The indicator.
        output: The name of the output; the first unless given.

    Raises:
        UnknownNameError: The indicator has no such output.
    """
    columns = indicator._columns  # noqa: SLF001 -- the only access
    if output and output not in columns:
        raise UnknownNameError("output", output, tuple(columns), where=indicator.key)
    return columns[output] if output else next(iter(columns.values()))


def moved_to(indicator: IndicatorData, series: BarIntervalData) -> IndicatorData:
    """Return the indicator on a series that reaches further back, for the engine only."""
    # The values are not computed again: what was visible in a session never changes.
    deeper = len(all_bars(series)) - len(all_bars(indicator.series))
    blank = np.full(deeper, np.nan)
    skipped = indicator._skipped  # noqa: SLF001 -- the only access
    return IndicatorData(
        indicator.key,
        series,
        {name: np.concatenate((blank, all_values(indicator, name))) for name in indicator.outputs},
        lookback=indicator.lookback,
        settling=indicator.settling,
        anchor_row=indicator.anchor_row + deeper,
        skipped=None if skipped is None else np.concatenate((np.zeros(deeper, np.int64), skipped)),
        ahead_of_today=indicator._ahead_of_today,  # noqa: SLF001 -- the only access
        before_first=indicator._before_first,  # noqa: SLF001 -- the only access
    )


def grow_values(
    indicator: IndicatorData,
    columns: Mapping[str, NDArray[np.float64]],
    skipped: NDArray[np.int64] | None,
    ahead_of_today: int | None,
    before_first: Callable[[], dict[str, float]] | None,
) -> None:
    """Extend an indicator in place after its series has grown, for the engine only.

    Args:
        indicator: The indicator, whose series has grown.
        columns: Its values by output, computed over the bars of the series from ``anchor_row`` on; read-only.
        skipped: As for `IndicatorData`, of these bars.
        ahead_of_today: As for `IndicatorData`.
        before_first: As for `IndicatorData`.
    """
    row, series = indicator.anchor_row, indicator.series
    if row:
        blank = np.full(row, np.nan)
        columns = {name: np.concatenate((blank, column)) for name, column in columns.items()}
        skipped = None if skipped is None else np.concatenate((np.zeros(row, np.int64), skipped))
        for column in columns.values():
            column.setflags(write=False)
    # The values before the cursor, so that every position that a reader can see has one.
    _set_single(indicator, next(iter(columns.values())).data if len(columns) == 1 else None)
    _set_columns(indicator, columns)
    _set_skipped(indicator, skipped)
    _set_ahead_of_today(indicator, ahead_of_today)
    _set_first_row(indicator, 0 if ahead_of_today is None else series.today_row + ahead_of_today)
    _set_before_first(indicator, before_first)
    _set_cursor(indicator, cursor_of(series))


# Slot descriptors set attributes of a frozen object quickest, and thousands of indicators are made a day.
_slots = vars(IndicatorData)
_set_key, _set_series, _set_columns = (_slots[name].__set__ for name in ("key", "series", "_columns"))
_set_lookback, _set_settling, _set_anchor_row = (
    _slots[name].__set__ for name in ("lookback", "settling", "anchor_row")
)
_set_ahead_of_today, _set_first_row, _set_before_first = (
    _slots[name].__set__ for name in ("_ahead_of_today", "_first_row", "_before_first")
)
_set_skipped, _set_cursor, _set_single = (_slots[name].__set__ for name in ("_skipped", "_cursor", "_single"))
