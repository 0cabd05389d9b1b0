"""Numbers in text are the same whether all of a column are plain or one of them is not."""

from __future__ import annotations

import polars as pl
import pytest

from openbell.importers.tables.numbers import number

PLAIN = ["1", " 10.5", "-3", "+7", "1e3", ".5", "inf", "NaN", None, "0"]


@pytest.mark.parametrize("odd", ["$5", "1,234.5", "(5.1)", "350.5k", "none", ""])
def test_a_number_does_not_depend_on_its_neighbours(odd: str) -> None:
    alone, beside = number(pl.Series(PLAIN)), number(pl.Series([*PLAIN, odd]))

    assert alone.to_list()[:7] == [1.0, 10.5, -3.0, 7.0, 1000.0, 0.5, float("inf")]
    assert alone.equals(beside.head(len(PLAIN)))
    assert alone.dtype == beside.dtype == pl.Float64
