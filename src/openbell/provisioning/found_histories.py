"""Histories of the symbols of a block, with the warnings that follow from their bars alone.

They depend on the store, the calendar, the symbols, the bars that are needed and the time of the clock. They are cached
where days come again: points of a sweep that differ in their indicators need the same bars.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from openbell.errors import DataError, OpenbellError
from openbell.provisioning.history_search import find_histories
from openbell.provisioning.needs import Needs
from openbell.provisioning.price_warnings import split_warnings
from openbell.provisioning.shortfalls import hole_warnings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from openbell.model.bars import Bars, BarTimes
    from openbell.provisioning.context import ProvisioningContext, StoredDay
    from openbell.provisioning.history_search import FoundHistory, HistoryProof
    from openbell.provisioning.needs import IntervalNeed

__all__ = ["FoundBlock", "found_blocks"]


@dataclass(frozen=True, slots=True, eq=False)
class FoundBlock:
    """Symbols that have the same histories.

    Attributes:
        places: Their indices among the symbols that were given.
        histories: By interval, what the store has.
        times: Per interval of the histories, in their order, the times of the bars that were read.
        bars: Per symbol, the bars that were read, by interval.
        errors: Per symbol, why bars cannot be read.
        holes: Warnings about stretches without bars.
        splits: Per symbol, warnings about undeclared splits.
    """

    places: tuple[int, ...]
    histories: Mapping[str, HistoryProof]
    times: tuple[BarTimes, ...]
    bars: tuple[Mapping[str, Bars], ...]
    errors: tuple[tuple[str, ...], ...]
    holes: tuple[str, ...]
    splits: tuple[tuple[str, ...], ...]


def found_blocks(symbols: Sequence[str], needs: Needs, context: ProvisioningContext) -> tuple[FoundBlock, ...]:
    """Find the histories of symbols with the same needs and the same stored intervals."""
    wanted, stored = tuple(needs.intervals.values()), context.base_intervals(symbols[0])
    sees_filled = context.config.session_data_config.indicators_see_filled
    return context.data_manager.remembered(
        _found_blocks,
        context.stored_day(symbols[0]),
        tuple(symbols),
        wanted,
        stored,
        context.time_manager.now_ns,
        sees_filled,
        size=len(symbols) * len(wanted),
        keep=_is_whole,
    )


def _is_whole(found: tuple[FoundBlock, ...]) -> bool:
    """Return whether all bars could be read."""
    # Errors are not cached: the bars may be there the next time.
    return not any(any(block.errors) for block in found)


def _found_blocks(
    day: StoredDay,
    symbols: tuple[str, ...],
    wanted: tuple[IntervalNeed, ...],
    stored: tuple[str, ...],
    now_ns: int,
    sees_filled: bool,
) -> tuple[FoundBlock, ...]:
    needs = day.memo(_needs_of_bars, wanted)
    read = _Reading(len(symbols))
    for name, need in needs.intervals.items():
        if str(need.base) in stored:
            read.add(name, find_histories(symbols, name, needs, day, now_ns, sees_filled=sees_filled))
    return tuple(_block(symbols, places, histories, read, day, now_ns) for histories, places in read.groups())


def _needs_of_bars(wanted: tuple[IntervalNeed, ...]) -> Needs:
    """Return the needs of bars, made once for equal ones so that results can be cached by them."""
    return Needs({str(need.interval): need for need in wanted})


def _block(
    symbols: tuple[str, ...],
    places: Sequence[int],
    histories: Mapping[str, HistoryProof],
    read: _Reading,
    day: StoredDay,
    now_ns: int,
) -> FoundBlock:
    bars = tuple(read.bars[place] for place in places)
    times = {name: one.times for name, one in bars[0].items()}
    return FoundBlock(
        tuple(places),
        MappingProxyType(histories),  # rules of users see it, in every run
        tuple(times.values()),
        bars,
        tuple(read.errors(place) for place in places),
        tuple(hole_warnings(histories, times, day, now_ns)),
        tuple(split_warnings([symbols[place] for place in places], histories, bars, day)),
    )


class _Reading:
    """The histories of symbols, and the bars that were read for them.

    Args:
        symbols: How many there are.

    Attributes:
        bars: Per symbol, the bars by interval.
    """

    def __init__(self, symbols: int) -> None:
        self.bars: list[dict[str, Bars]] = [{} for _ in range(symbols)]
        self._histories: list[tuple[HistoryProof, ...]] = [()] * symbols
        self._failed: dict[int, list[tuple[str, OpenbellError]]] = {}

    def add(self, name: str, found: Sequence[FoundHistory | OpenbellError]) -> None:
        """Add what was found of an interval, an entry per symbol."""
        histories = self._histories
        for place, (one, bars) in enumerate(zip(found, self.bars, strict=True)):
            if isinstance(one, OpenbellError):
                self._failed.setdefault(place, []).append((name, one))
            else:
                histories[place] += (one[0],)
                bars[name] = one[1]

    def groups(self) -> Iterator[tuple[dict[str, HistoryProof], list[int]]]:
        """Iterate over the different histories, each with the indices of the symbols that have them."""
        groups: dict[tuple[HistoryProof, ...], list[int]] = {}
        for place, histories in enumerate(self._histories):
            groups.setdefault(histories, []).append(place)
        for found, places in groups.items():
            yield dict(zip(self.bars[places[0]], found, strict=True)), places

    def errors(self, place: int) -> tuple[str, ...]:
        """Return why bars of a symbol cannot be read."""
        if place not in self._failed:
            return ()
        errors: dict[str, None] = {}
        damage: dict[str, list[str]] = {}
        for name, error in self._failed[place]:
            if isinstance(error, DataError):
                damage.setdefault(str(error), []).append(name)
            else:
                errors[f"{name}: {error}"] = None
        # One damaged file is one error, however many intervals are built from it.
        texts = (f"load_historical cannot have {', '.join(names)} bars: {error}" for error, names in damage.items())
        return (*errors, *texts)
