"""All indicators of the registry have the values of the backtest when they grow with the bars that come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from live.parity import both
from live.sessions import early, session, trader
from openbell.indicators import get, names

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.long
@pytest.mark.parametrize("interval", ["1m", "15m", "1d"])
def test_all_indicators_of_the_registry(interval: str, minute_store: Path, tmp_path: Path) -> None:
    fitting = [name for name in names() if interval != "1d" or not get(name).intraday_only]
    config = session(
        trader(every=60),
        symbols=("AIG",),
        streams=("1m",),
        indicators=[{"name": name, "interval": interval} for name in fitting],
        on_shortfall="warm",
        exchange="XNYS" if interval == "15m" else early("13:00", "2013-10-09"),
    )
    runs = both(config, minute_store, tmp_path)
    assert runs.differences == []
    assert len(list((runs.backtest / "indicators").rglob("*.parquet"))) > 0
