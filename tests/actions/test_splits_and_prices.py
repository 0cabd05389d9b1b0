"""A split that the price knows nothing of is refused where it is imported, or where it would be applied."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import polars as pl
import pytest

from made_bars import made_store
from openbell import BarStore, DataManager, TimeManager
from openbell.actions import ActionStore
from openbell.actions.table import ACTION_SCHEMA, check_actions
from openbell.errors import BadBarsError, DataError
from openbell.importers.actions_csv import import_actions_csv

if TYPE_CHECKING:
    from pathlib import Path

EX_DATE = date(2024, 6, 12)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return made_store(tmp_path / "store", ["X"], "2024-06-03", "2024-06-20")


def split(value: float) -> pl.DataFrame:
    return pl.DataFrame([("X", EX_DATE, "split", value, None, None)], schema=ACTION_SCHEMA, orient="row")


@pytest.mark.parametrize("value", [1e308, 1e7, 1e-7, 5e-324, float("inf"), float("nan"), 0.0, -2.0])
def test_a_split_that_cannot_be_is_set_aside_with_its_reason(store: Path, tmp_path: Path, value: float) -> None:
    checked = check_actions(split(value).with_row_index("line"))
    assert checked.good.is_empty()
    assert checked.bad.height == 1

    (tmp_path / "actions.csv").write_text(f"symbol,ex_date,type,value\nX,{EX_DATE},split,{value!r}\n")
    with pytest.raises(BadBarsError, match="no corporate action that can be used"):
        import_actions_csv(tmp_path / "actions.csv", store)
    assert ActionStore(store).read().is_empty()


@pytest.mark.parametrize("value", [1e308, 1e-308, 7000.0, 1 / 7000])
@pytest.mark.parametrize("interval", ["1m", "1d"])
def test_a_stored_split_that_does_not_fit_the_price_is_refused_in_use(store: Path, value: float, interval: str) -> None:
    ActionStore(store).write(split(value))
    manager = DataManager(BarStore.open(store), TimeManager("XNYS"), adjustment="split")
    window = date(2024, 6, 10), date(2024, 6, 13)

    with pytest.raises(DataError, match=r"X: the split of .* on 2024-06-12 does not fit the price"):
        manager.load_historical_bars("X", interval, *window, as_of=window[1])
    assert len(manager.load_historical_bars("X", "1d", window[0], date(2024, 6, 11), as_of=date(2024, 6, 11))) == 2
    raw = DataManager(BarStore.open(store), TimeManager("XNYS"), adjustment="raw")
    assert len(raw.load_historical_bars("X", "1d", *window, as_of=window[1])) == 4
