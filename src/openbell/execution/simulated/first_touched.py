"""Choice of the order of a group that fills first, and of the part that a bar can fill."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from openbell.execution.orders.instruments import whole_units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openbell.execution.simulated.fill_prices import FillColumns, FillPoint
    from openbell.model.instrument import Instrument

__all__ = ["FirstTouched", "first_touched", "fitting_part", "with_volume"]


class FirstTouched(NamedTuple):
    """The order of a group that fills, so that the others are cancelled.

    Attributes:
        place: Its index in the group.
        ambiguous: Whether the same bar touched another one, and bars of this interval do not show which came first.
    """

    place: int
    ambiguous: bool


def first_touched(
    points: Sequence[FillPoint | None], quantities: Sequence[float], both_touched: Literal["worse", "better"] = "worse"
) -> FirstTouched | None:
    """Choose the order of a group that fills first, such as the stop or the target of a bracket.

    An earlier bar comes first, then an open, which is the first price of its bar. Of several within one bar, the one
    with the worse or the better price is chosen.

    Args:
        points: The first fill of each order by itself, or None.
        quantities: The units of each, negative to sell.
        both_touched: Which one is chosen when it is not known which came first.

    Returns:
        The chosen one, or None where none fills.
    """
    found = [(point, index) for index, point in enumerate(points) if point is not None]
    if not found:
        return None
    row, at_open = min((point.row, not point.at_open) for point, _ in found)
    equal = [(point, index) for point, index in found if (point.row, not point.at_open) == (row, at_open)]
    sign = 1 if both_touched == "worse" else -1

    def lost(one: tuple[FillPoint, int]) -> float:
        point, index = one
        return sign * point.price * (1 if quantities[index] > 0 else -1)

    _, chosen = max(equal, key=lost)
    return FirstTouched(chosen, ambiguous=len(equal) > 1)


def with_volume(columns: FillColumns, share: float | None, instrument: Instrument) -> FillColumns:
    """Leave out the bars whose allowed share of volume is less than the least that can be traded.

    For orders that wait for volume; a stop is reached on a bar of any volume.
    """
    if share is None:
        return columns
    least = np.nextafter(0, 1) if instrument.fractional else 1.0
    enough = columns.volume * share >= least
    return columns._replace(fillable=enough if columns.fillable is None else enough & columns.fillable)


def fitting_part(
    remaining: float, volume: float, share: float | None, instrument: Instrument, taken: float = 0.0
) -> float:
    """Return how much of the rest of an order a bar can fill, signed.

    Args:
        remaining: Units that are still open, signed.
        volume: Units traded in the bar.
        share: The share of it that the account may take; None for no bound.
        instrument: The terms of trading.
        taken: Units of the bar that other orders of the account took.
    """
    if share is None and not remaining % 1:
        return remaining
    most = inf if share is None else max(volume * share - taken, 0.0)
    if abs(remaining) <= most:
        # After a split, the rest of an order that has filled in part has the noise of floats.
        return remaining if instrument.fractional else whole_units(remaining, instrument)
    return whole_units(most if remaining > 0 else -most, instrument)
