"""Blocks of symbols with the same bar times, whose entries are made when they are first read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, NoReturn, TypeVar

from openbell.errors import UnknownNameError
from openbell.model.frozen import Frozen
from openbell.session.indicator import IndicatorData, all_values
from openbell.session.series import BarIntervalData, all_bars, cursor_of, score

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from openbell.market_data.completeness import Completeness
    from openbell.model.bars import Bars
    from openbell.session.cursor import Cursor
    from openbell.session.last_rows import Reach
    from openbell.timing.grid import ExpectedBars

__all__ = [
    "IndicatorBlock",
    "IndicatorsOfBlock",
    "SeriesBlock",
    "SeriesOfBlock",
    "blocks_of",
    "place_of",
    "values_of_today",
]

B = TypeVar("B")
V = TypeVar("V")


@dataclass(slots=True, eq=False)
class SeriesBlock:
    """Series of one interval for all symbols of a block, which share their bar times.

    Attributes:
        interval: The canonical interval.
        base: The interval that the series are derived from; None when they are stored.
        bars: The bars of each symbol, those after the session clock included.
        today_row: The row of the first bar that closes after the session's start.
        cursor: The number of closed bars.
        reach: Their calendar, and the time from which they have all stored bars; None in a block made by `of`.
        quality: Completeness of the history, and the bars expected today; None for ad hoc symbols.
    """

    interval: str
    base: str | None
    bars: Sequence[Bars]
    today_row: int
    cursor: Cursor
    reach: Reach | None
    quality: tuple[Completeness, ExpectedBars] | None = None

    @staticmethod
    def of(series: BarIntervalData) -> SeriesBlock:
        """Return a block of one existing series."""
        bars, cursor = [all_bars(series)], cursor_of(series)
        return SeriesBlock(series.interval, series.base, bars, series.today_row, cursor, None)

    def series(self, symbol: str, place: int) -> BarIntervalData:
        """Make the series of the symbol at index ``place`` of the block."""
        made = BarIntervalData(
            symbol,
            self.interval,
            base=self.base,
            bars=self.bars[place],
            today_row=self.today_row,
            cursor=self.cursor,
            reach=self.reach,
        )
        if self.quality is not None:
            score(made, *self.quality)
        return made


@dataclass(slots=True, eq=False)
class IndicatorBlock:
    """One indicator for all symbols of a block.

    Attributes:
        key: The key, e.g. "sma_20_5m".
        interval: The interval of the series that it reads.
        columns: Its values by output, a row per symbol and a column per bar, those after the session clock included.
        lookback: Bars that it needs for its first value.
        settling: Further bars until its starting point no longer shows; None when it never settles.
        skipped: As in `IndicatorData`.
        ahead_of_today: As in `IndicatorData`.
        before_first: Per symbol, a function that returns its value by output before the first value of today; None
            when there is no value until then.
    """

    key: str
    interval: str
    columns: Mapping[str, NDArray[np.float64]]
    lookback: int
    settling: int | None
    skipped: NDArray[np.int64] | None = None
    ahead_of_today: int | None = None
    before_first: Sequence[Callable[[], dict[str, float]]] | None = None

    def values_now(self, series: SeriesBlock) -> dict[str, NDArray[np.float64]] | None:
        """Return the values at the last closed bar by output, one per symbol.

        None before the first closed bar; for a session-aware indicator, before the first bar with a value of today.
        """
        position = series.cursor.position
        first_row = 0 if self.ahead_of_today is None else series.today_row + self.ahead_of_today
        return (
            {name: rows[:, position - 1].copy() for name, rows in self.columns.items()}
            if position > first_row
            else None
        )

    def indicator(self, series: BarIntervalData, place: int) -> IndicatorData:
        """Make the indicator of the symbol at index ``place`` of the block, on its series."""
        return IndicatorData(
            self.key,
            series,
            {name: rows[place] for name, rows in self.columns.items()},
            lookback=self.lookback,
            settling=self.settling,
            skipped=self.skipped,
            ahead_of_today=self.ahead_of_today,
            before_first=self.before_first[place] if self.before_first is not None else None,
        )


class _OfBlock(Frozen, Mapping[str, V], Generic[B, V]):
    """Entries of one symbol of a block by name, each made when it is first read.

    Later reads return the same object. No public attribute leads to the block, which also has the bars and values after
    the session clock.
    """

    __slots__ = ("_blocks", "_made", "_place", "_symbol")

    _blocks: Mapping[str, B]
    _made: dict[str, V]
    _place: int
    _symbol: str

    def __init__(self, blocks: Mapping[str, B], symbol: str, place: int) -> None:
        _set_blocks(self, blocks)
        _set_symbol(self, symbol)
        _set_place(self, place)
        _set_made(self, {})

    def __reduce__(self) -> NoReturn:
        # A copy would include the bars after the session clock, which the blocks hold.
        raise TypeError(f"the {type(self).__name__} of {self._symbol} cannot be pickled or copied")

    def __getitem__(self, name: str) -> V:
        try:
            return self._made[name]
        except KeyError:
            # If two threads make it at the same time, both get the object that was stored first.
            return self._made.setdefault(name, self._make(self._blocks[name]))

    def _make(self, block: B) -> V:
        raise NotImplementedError

    def __contains__(self, name: object) -> bool:
        return name in self._blocks

    def __iter__(self) -> Iterator[str]:
        return iter(self._blocks)

    def __len__(self) -> int:
        return len(self._blocks)

    def __repr__(self) -> str:
        return repr(dict(self))


class SeriesOfBlock(_OfBlock[SeriesBlock, BarIntervalData]):
    """The series of one symbol of a block by interval."""

    __slots__ = ()

    def _make(self, block: SeriesBlock) -> BarIntervalData:
        return block.series(self._symbol, self._place)


class IndicatorsOfBlock(_OfBlock[IndicatorBlock, IndicatorData]):
    """The indicators of one symbol of a block by key."""

    __slots__ = ("_series",)

    _series: SeriesOfBlock

    def __init__(self, blocks: Mapping[str, IndicatorBlock], series: SeriesOfBlock) -> None:
        super().__init__(blocks, series._symbol, series._place)  # noqa: SLF001 -- of the same symbol
        _set_series(self, series)

    def _make(self, block: IndicatorBlock) -> IndicatorData:
        return block.indicator(self._series[block.interval], self._place)


def blocks_of(entries: _OfBlock[B, V]) -> Mapping[str, B]:
    """Return the blocks from which entries are made, for the engine only."""
    return entries._blocks  # noqa: SLF001 -- the only access


def place_of(entries: _OfBlock[B, V]) -> int:
    """Return the index of the symbol in its block, for the engine only."""
    return entries._place  # noqa: SLF001 -- the only access


def values_of_today(
    entries: Mapping[str, IndicatorData], key: str, output: str
) -> tuple[str, NDArray[np.float64]] | None:
    """Return the interval of an indicator and its values of today, for the engine only.

    Values after the session clock are included. None when there is no such indicator.

    Raises:
        UnknownNameError: The indicator has no such output.
    """
    if isinstance(entries, IndicatorsOfBlock) and (block := entries._blocks.get(key)) is not None:  # noqa: SLF001
        series = entries._series._blocks[block.interval]  # noqa: SLF001 -- without making the series
        if output and output not in block.columns:
            raise UnknownNameError("output", output, tuple(block.columns), where=key)
        rows = block.columns[output] if output else next(iter(block.columns.values()))
        return block.interval, rows[entries._place, series.today_row :]  # noqa: SLF001
    indicator = entries.get(key)
    if indicator is None:
        return None
    return indicator.series.interval, all_values(indicator, output)[indicator.series.today_row :]


# Slot descriptors set attributes of a frozen object quickest, and these are made for each symbol of each day.
_set_blocks, _set_made, _set_place, _set_symbol = (
    vars(_OfBlock)[name].__set__ for name in ("_blocks", "_made", "_place", "_symbol")
)
_set_series = vars(IndicatorsOfBlock)["_series"].__set__
