"""In a notebook results show themselves, whatever their texts are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from openbell import DataError, SystemManager, analyze_requirements
from openbell.testing import bar_starts, make_store, prepare, probe_strategy, random_bars

if TYPE_CHECKING:
    from openbell import Strategy

HOSTILE = "<img/src=x/onerror=alert(1)>"
ESCAPED = "&lt;img/src=x/onerror=alert(1)&gt;"


def trades(strategy: Strategy, bar: Any) -> None:
    held = strategy.context.portfolio.position(bar.symbol).quantity
    strategy.context.order(bar.symbol, -held or 10)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> SystemManager:
    minutes = random_bars(bar_starts("2024-03-08", "2024-03-12"))
    store = make_store(tmp_path_factory.mktemp("notebook") / "store", {HOSTILE: {"1m": minutes}, "B": {"1m": minutes}})
    config = {
        "session_name": "shown",
        "backtest_config": {"start_date": "2024-03-11", "end_date": "2024-03-12"},
        "session_data_config": {
            "symbols": [HOSTILE, "B", "GONE<b>"],
            "streams": ["5m"],
            "indicators": [{"name": "sma", "period": 20, "interval": "5m"}],
        },
        "strategies": [probe_strategy(subscriptions=[(HOSTILE, "5m")], on_bar=trades)],
        "execution": {},
    }
    return SystemManager(config, store=store)


def test_a_run_shows_what_it_earned_and_its_sessions(system: SystemManager) -> None:
    result = system.run()

    html = result._repr_html_()
    day = result.days[0]._repr_html_()

    assert result.performance is not None
    assert f"<td>{result.performance.net_profit:,.2f}</td>" in html
    assert "<td>2024-03-11</td>" in html
    assert "<b>2024-03-11</b> 2 symbols" in day
    assert "GONE&lt;b&gt; was dropped: " in day
    assert "&lt;img/src=x/onerror=alert(1)&gt;" in day
    assert "<img" not in html + day
    numbers = result.performance._repr_html_()
    assert f"<td>net profit</td><td>{result.performance.net_profit:,.2f}</td>" in numbers
    assert f"<td>information ratio</td><td>{result.performance.unavailable['information_ratio']}</td>" in numbers


def test_a_plan_shows_what_can_be_loaded(system: SystemManager) -> None:
    html = system.plan()._repr_html_()

    assert "<td>B</td><td>yes</td><td>1m, 5m</td><td>1m</td>" in html
    assert "<td>GONE&lt;b&gt;</td><td>no</td>" in html


def test_sessions_series_indicators_journals_and_requirements_show_themselves(system: SystemManager) -> None:
    system.run()
    session, journal = system.session_data, system.coordinator.journal
    series = session.get_bars(HOSTILE, "5m")
    assert series is not None
    waiting = prepare(system.config, store=system.data_manager.store.path)
    requirements = analyze_requirements("symbol", "GONE<b>", "scanner", waiting.session_data, waiting.coordinator)

    shown = {
        "session": session._repr_html_(),
        "series": series._repr_html_(),
        "journal": journal._repr_html_(),
        "requirements": requirements._repr_html_(),
    }

    assert f"<td>{ESCAPED}</td><td>1m, 5m</td>" in shown["session"]
    assert f"<b>{ESCAPED}</b> 5m, made of 1m: 98 closed bars, 78 of them today&#x27;s" in shown["series"]
    assert f"<td>{series.close[-1]:.10g}</td>" in shown["series"]
    assert f"<b>Journal</b> {len(journal)} records, 2 refused" in shown["journal"]
    assert "<b>GONE&lt;b&gt;</b> symbol for scanner: cannot be provisioned" in shown["requirements"]
    assert not any("<img" in html or "<b>GONE<b>" in html for html in shown.values())


def test_a_frame_has_the_indicators_beside_their_bars(system: SystemManager) -> None:
    system.run()
    session = system.session_data
    series, averages = session.get_bars("B", "5m"), session.get_indicator("B", "sma_20_5m")
    assert series is not None
    assert averages is not None

    frame = session.frame("B", "5m", indicators=True)

    assert frame.drop("sma_20_5m").equals(series.to_polars())
    assert np.array_equal(frame["sma_20_5m"].to_numpy(), averages.values, equal_nan=True)
    assert "sma_20_5m" not in session.frame("B", "5m").columns
    assert "sma_20_5m" not in session.frame("B", "1m", indicators=True).columns
    assert f"<td>{averages.value:.10g}</td>" in averages._repr_html_()
    with pytest.raises(DataError, match=r"has no NONE; it has .*B\."):
        session.frame("NONE", "5m")
    with pytest.raises(DataError, match="no 15m bars of B; it has 1m, 5m"):
        session.frame("B", "15m")
