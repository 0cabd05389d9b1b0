"""Charts for notebooks hold what the session or run holds, and nothing that a browser obeys."""

from __future__ import annotations

import json
from datetime import date
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

from openbell import ConfigError, DataError, HtmlPage, SystemManager, load_config, open_run
from openbell.testing import advance, prepare
from pages.conftest import HOSTILE

if TYPE_CHECKING:
    from pathlib import Path


def data_of(page: HtmlPage) -> Any:
    """What the page's script draws."""
    return json.loads(page.html.partition('id="data">')[2].partition("</script>")[0])


def test_a_page_shows_itself_in_a_frame_of_its_own_and_can_be_saved(tmp_path: Path) -> None:
    page = HtmlPage("<p title=\"a\">'&amp;'</p>", height=300)

    shown = page._repr_html_()

    assert unescape(shown.partition('srcdoc="')[2].partition('" sandbox')[0]) == page.html
    assert 'sandbox="allow-scripts"' in shown
    assert "height: 300px" in shown
    assert page.save(tmp_path / "page.html").read_text(encoding="utf-8") == page.html


def test_a_session_draws_its_closed_bars_and_the_indicators_known_at_their_ends(plain_store: Path) -> None:
    config = {
        "session_name": "drawn",
        "backtest_config": {"start_date": "2024-03-12", "end_date": "2024-03-12"},
        "session_data_config": {
            "symbols": ["ALFA"],
            "streams": ["1m", "5m"],
            "historical": {"data": [{"trailing_days": 1, "intervals": ["5m"], "apply_to": "all"}]},
            "indicators": [{"name": "sma", "period": 3, "interval": "5m"}],
        },
    }
    system = prepare(config, store=plain_store)
    session = system.session_data
    with pytest.raises(DataError, match="no 5m bar of ALFA has closed in the session of 2024-03-12 yet"):
        session.plot("ALFA", "5m")
    advance(system, "10:32")

    (fives,) = data_of(session.plot("ALFA", "5m"))["windows"]
    (minutes,) = data_of(session.plot("ALFA", "1m"))["windows"]
    (both,) = data_of(session.plot("ALFA", "5m", sessions=1, indicators=False))["windows"]

    average = session.get_indicator("ALFA", "sma_3_5m")
    assert average is not None
    assert len(fives["close"]) == 12
    assert len(minutes["close"]) == 62
    assert len(both["close"]) == 12 + 78
    lines = [drawn["lines"][0]["values"] for drawn in (fives, minutes)]
    assert lines[0][-1] == lines[1][-1] == pytest.approx(average.value, abs=1e-4)
    assert lines[1][-8] == lines[0][-2]
    assert both["lines"] == []


def test_a_result_draws_its_equity(plain_store: Path) -> None:
    config = {
        "session_name": "drawn",
        "store": str(plain_store),
        "backtest_config": {"start_date": "2024-03-12", "end_date": "2024-03-13"},
        "session_data_config": {"symbols": ["ALFA"], "streams": ["1m"]},
    }
    with pytest.raises(DataError, match="has no equity to draw"):
        SystemManager(load_config(config)).run().plot()

    page = SystemManager(load_config({**config, "execution": {"cash": 5000}})).run().plot()

    equity = data_of(page)["equity"]
    assert equity["equity"] == [5000.0] * len(equity["time"])
    assert len(equity["time"]) == 780


def test_a_stored_run_draws_all_or_one_symbol_of_one_session(kept_run: Path) -> None:
    run = open_run(kept_run)

    whole, one = data_of(run.plot()), data_of(run.plot("ALFA", date(2024, 3, 12)))

    assert len(whole["equity"]["time"]) > 100
    assert {window["symbol"] for window in whole["windows"]} == {"ALFA", "PENNY"}
    assert one["equity"] is None
    assert {window["symbol"] for window in one["windows"]} == {"ALFA"}
    assert len(one["windows"]) == 1
    assert one["windows"][0]["marks"]
    assert run.report().html.count("<h2>") > 5


def test_a_symbol_or_a_session_that_a_run_does_not_have_is_told(kept_run: Path) -> None:
    run = open_run(kept_run)

    with pytest.raises(DataError, match=r"ALFAA was in no session of the run\. Did you mean 'ALFA'"):
        run.plot("ALFAA")
    with pytest.raises(DataError, match=r"ZZ was in no session of the run\. It had ALFA"):
        run.plot("ZZ")
    with pytest.raises(ConfigError, match=r"the run has no session of 2030-01-02: its \d+ are from"):
        run.plot("ALFA", "2030-01-02")


def test_hostile_names_are_shown_and_not_obeyed(hostile_run: Path) -> None:
    run = open_run(hostile_run)

    session = run.session(run.days[0])

    for page in (run.plot(), session.plot(HOSTILE[0], "5m"), session.plot(HOSTILE[1], "1m")):
        assert "<img/src" not in page.html
        assert "document.title='owned'" not in page.html.partition("<script")[0]
        assert page.html.count("</script>") == 5
    assert HOSTILE[0] not in session._repr_html_()
