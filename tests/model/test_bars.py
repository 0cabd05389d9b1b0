"""`Bars`: what a strategy may do with the columns that it gets."""

from __future__ import annotations

import copy
import pickle
import tracemalloc
import weakref
from typing import TYPE_CHECKING

import numpy as np
import pytest

from openbell.model.bars import COLUMNS, Bars, ClosedBars

if TYPE_CHECKING:
    from collections.abc import Callable


def three() -> Bars:
    when, prices = np.arange(3), np.arange(3.0)
    return Bars(when, when + 1, prices, prices, prices, prices, prices, np.ones(3, np.int32))


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda bars: pickle.loads(pickle.dumps(bars))], ids=["copy", "deep", "pickle"]
)
@pytest.mark.parametrize("part", [slice(None), slice(1, 3)], ids=["all", "view"])
def test_bars_can_be_copied_and_sent_to_other_processes(copied: Callable[[Bars], Bars], part: slice) -> None:
    bars = three()[part]
    other = copied(bars)
    for name in COLUMNS:
        column = getattr(other, name)
        assert column.tolist() == getattr(bars, name).tolist()
        assert not column.flags.writeable


def test_bars_say_how_many_they_are_and_of_when() -> None:
    assert repr(three()[1:]) == "<Bars: 2 from 1970-01-01T00:00:00 to 1970-01-01T00:00:00 UTC>"
    assert repr(ClosedBars(three(), slice(0, 0))) == "<Bars: none>"


def test_windows_are_one_object_as_long_as_somebody_has_them() -> None:
    times = three().times
    window = times.window(1, 3)
    assert times.window(1, 3) is window
    assert times.window(1, 2) is not window
    assert window.timestamp.tolist() == [1, 2]
    gone = weakref.ref(window)
    del window
    assert gone() is None


def test_windows_that_nobody_has_take_no_memory() -> None:
    times = three().times
    tracemalloc.start()
    for row in range(20_000):
        times.window(row, row + 1)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 100_000
