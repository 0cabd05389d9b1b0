"""In a notebook results show themselves, whatever their texts are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from openbell import SystemManager
from openbell.testing import bar_starts, make_store, probe_strategy, random_bars

if TYPE_CHECKING:
    from openbell import Strategy

HOSTILE = "<img/src=x/onerror=alert(1)>"


def trades(strategy: Strategy, bar: Any) -> None:
    held = strategy.context.portfolio.position(bar.symbol).quantity
    strategy.context.order(bar.symbol, -held or 10)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> SystemManager:
    minutes = random_bars(bar_starts("2024-03-11", "2024-03-12"))
    store = make_store(tmp_path_factory.mktemp("notebook") / "store", {HOSTILE: {"1m": minutes}, "B": {"1m": minutes}})
    config = {
        "session_name": "shown",
        "backtest_config": {"start_date": "2024-03-11", "end_date": "2024-03-12"},
        "session_data_config": {"symbols": [HOSTILE, "B", "GONE<b>"], "streams": ["5m"]},
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


def test_a_plan_shows_what_can_be_loaded(system: SystemManager) -> None:
    html = system.plan()._repr_html_()

    assert "<td>B</td><td>yes</td><td>1m, 5m</td><td>1m</td>" in html
    assert "<td>GONE&lt;b&gt;</td><td>no</td>" in html
