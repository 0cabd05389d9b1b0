"""A damaged file costs its symbol and its month, not the run."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from made_bars import made_store
from openbell.errors import DamagedFileError
from openbell.market_data.data_manager import DataManager
from openbell.store.store import BarStore
from openbell.timing import TimeManager
from probes import engine

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of A and B from August to October 2013, in which A's minutes of September are damaged."""
    store = made_store(tmp_path_factory.mktemp("damaged") / "store", ["A", "B"], "2013-08-01", "2013-10-31")
    path = store / "bars/interval=1m/symbol=A/2013-09.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    return path


def test_a_run_loses_the_symbol_for_the_sessions_that_need_the_month_and_no_others(damaged: Path) -> None:
    sma = {"name": "sma", "period": 20, "interval": "5m"}
    days = engine(
        damaged.parents[3], symbols=["A", "B"], days=("2013-08-26", "2013-10-07"), indicators=[sma]
    ).run()["days"]  # fmt: skip

    assert all("B" in day["symbols"] for day in days)
    without = [day["date"] for day in days if "A" not in day["symbols"]]
    assert without == [day["date"] for day in days if "2013-09-01" < day["date"] <= "2013-10-01"]
    assert all(str(damaged) in day["dropped"]["A"][0] for day in days if day["date"] in without)


def test_reading_ahead_stops_before_the_damaged_month(damaged: Path) -> None:
    manager = DataManager(BarStore.open(damaged.parents[3]), TimeManager("XNYS"), horizon=date(2013, 10, 31))
    first, last = date(2013, 8, 29), date(2013, 8, 30)
    manager.prefetch(["A", "B"], "1m", first, last)

    assert len(manager.load_historical_bars("A", "1m", first, last)) == 2 * 390
    assert len(manager.load_historical_bars("A", "5m", first, last)) == 2 * 78
    with pytest.raises(DamagedFileError, match="2013-09"):
        manager.load_historical_bars("A", "1m", last, date(2013, 9, 3))
    assert len(manager.load_historical_bars("A", "1m", date(2013, 10, 1), date(2013, 10, 1))) == 390
