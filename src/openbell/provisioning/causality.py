"""Proof that a kernel from outside reads no later bars."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from openbell.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from openbell.indicators import IndicatorInputs
    from openbell.provisioning.needs import IndicatorNeed

__all__ = ["require_causal"]

_TOLERANCE = 1e-6
"""The relative difference that sums in another order may make."""

_NOISE = 1e-12
"""The difference that rounding may make, as a share of the largest value."""

_PARTS = 6
_FACTORS = (2.0, 0.5)


def require_causal(
    need: IndicatorNeed, inputs: IndicatorInputs, columns: Mapping[str, NDArray[np.float64]], *, thorough: bool
) -> None:
    """Compare values with those of the same bars without later ones, and with later ones that are higher or lower.

    Args:
        need: The indicator.
        inputs: Its bars.
        columns: Its values over all of them, by output.
        thorough: Whether later bars are changed at several times of the last session. Otherwise they are left out at
            two.

    Raises:
        DataError: A value depends on later bars.
    """
    begin = _last_session(inputs)
    size = len(inputs) - begin
    for rows in sorted({begin + size // 2, len(inputs) - 1} - {0, -1}):
        _compare(need, inputs[:rows], columns, rows, f"over the first {rows} of {len(inputs)} bars")
    if not thorough:
        return
    for rows in sorted({len(inputs) // 2, *(begin + size * part // _PARTS for part in range(1, _PARTS))} - {0}):
        for factor in _FACTORS:
            changed = _with_later(inputs, rows, factor)
            _compare(need, changed, columns, rows, f"with prices of {factor:g} times after the first {rows} bars")


def _last_session(inputs: IndicatorInputs) -> int:
    """Return the row with which the last session begins."""
    return int(np.searchsorted(inputs.session, inputs.session[-1])) if len(inputs) else 0


def _with_later(inputs: IndicatorInputs, rows: int, factor: float) -> IndicatorInputs:
    """Return the bars with prices and volumes multiplied from a row on."""

    def changed(column: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.concatenate([column[:rows], column[rows:] * factor])

    return replace(
        inputs,
        open=changed(inputs.open),
        high=changed(inputs.high),
        low=changed(inputs.low),
        close=changed(inputs.close),
        volume=changed(inputs.volume),
    )


def _compare(
    need: IndicatorNeed, inputs: IndicatorInputs, columns: Mapping[str, NDArray[np.float64]], rows: int, how: str
) -> None:
    known = need.indicator.compute(inputs, need.params)
    for name, column in columns.items():
        before, after = column[:rows], known[name][:rows]
        # A sum of large terms may leave some of their last digits where it is next to nothing.
        noise = _NOISE * float(np.abs(before[np.isfinite(before)]).max(initial=0.0))
        if not np.allclose(after, before, rtol=_TOLERANCE, atol=noise, equal_nan=True):
            raise DataError(
                f"{need.key} reads bars that come later: {how}, its {name} of earlier bars is another. A row of a "
                "kernel may depend on that row and earlier ones only."
            )
