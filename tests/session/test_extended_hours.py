"""Extended hours: bars before the open and after the close are there, and what a session is stays what it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from openbell import indicators
from probes import engine

if TYPE_CHECKING:
    from pathlib import Path

SESSION_AWARE = ("gap", "prior_day", "vwap", "session_high_low", "opening_range")


def indicators_at_the_close(store: Path, hours: str) -> dict[str, object]:
    """Values after IBM's last regular bar of 2013-10-11."""
    system = engine(
        store,
        symbols=["IBM"],
        days="2013-10-11",
        session_hours=hours,
        indicators=[{"name": name, "interval": "1m"} for name in SESSION_AWARE],
    )
    system.run()
    data = system.session_data.get_symbol_data("IBM")
    assert data is not None
    close_ns = system.time_manager.session(system.session_data.session_date).close_ns
    row = int(data.bars["1m"].end.searchsorted(close_ns, side="right")) - 1
    return {
        f"{key}.{output}": float(indicator.output(output)[row])
        for key, indicator in data.indicators.items()
        for output in indicator.outputs
    }


def test_what_belongs_to_the_session_is_the_same_with_extended_hours(minute_store: Path) -> None:
    regular = indicators_at_the_close(minute_store, "regular")
    extended = indicators_at_the_close(minute_store, "extended")

    assert extended == pytest.approx(regular, rel=1e-12)
    assert len(regular) >= len(SESSION_AWARE)


@pytest.mark.parametrize("name", SESSION_AWARE)
def test_a_notebook_sees_the_same_values_in_a_frame_with_extended_hours(minute_store: Path, name: str) -> None:
    system = engine(
        minute_store, session_hours="extended", trailing={"1m": 2}, indicators=[{"name": name, "interval": "1m"}]
    )
    system.run()
    data = system.session_data.get_symbol_data("SPY")
    assert data is not None
    session = system.time_manager.session(system.session_data.session_date)
    series = data.bars["1m"]
    today = (series.timestamp >= session.open_ns) & (series.timestamp < session.close_ns)
    (indicator,) = data.indicators.values()
    frame = indicators.compute(name, series.to_polars())

    for output, column in zip(indicator.outputs, frame.get_columns(), strict=True):
        np.testing.assert_allclose(column.to_numpy()[today], indicator.output(output)[today], rtol=1e-12)
