"""Pages of runs, sessions and symbols, from a server that runs."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from view.conftest import read_chart

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from openbell.model.json_object import JsonObject
    from view.conftest import Served

DAY = "2024-03-12"


def chart_of(served: Served, run: str, symbol: str, **asked: str) -> JsonObject:
    return served.chart(run, symbol, **{"day": DAY, **asked})


def test_runs_are_listed_with_what_they_earned_and_dropped(served: Served) -> None:
    page = served.ask("/").text
    ids = served.ids()

    assert len(ids) == 3
    assert {"kept", "plain"} < set(ids)
    assert f'href="/run/{ids["kept"]}#dropped">1</a>' in page


def test_two_runs_are_compared_by_equity_numbers_and_config(served: Served) -> None:
    ids = served.ids()

    page = served.ask(f"/compare?run={ids['kept']}&run={ids['plain']}").text

    assert 'id="compare-chart"' in page
    assert "<code>execution.fees.model</code>" in page
    assert "<code>per_share</code>" in page
    assert ">net profit</th>" in page


@pytest.mark.parametrize("asked", ["", "?run={kept}", "?run={kept}&run={kept}", "?run={kept}&run=0"])
def test_what_cannot_be_compared_is_said(served: Served, asked: str) -> None:
    answer = served.ask("/compare" + asked.format(**served.ids()))

    assert answer.status in (404, 422)
    assert "<h1>" in answer.text


def test_a_run_is_its_report_and_its_trades_lead_to_their_candles(served: Served) -> None:
    run = served.ids()["kept"]

    page = served.ask(f"/run/{run}").text

    assert page.index('id="warnings"') < page.index('id="earned"')
    assert f'href="/run/{run}/session/{DAY}"' in page
    assert f'href="/run/{run}/why?symbol=IBM">IBM</a>' in page
    assert f"/run/{run}/session/2024-03-11?symbol=ALFA&amp;trade=1" in page


def test_a_trade_says_why_it_was_made(served: Served) -> None:
    run = served.ids()["kept"]

    page = served.ask(f"/run/{run}/session/2024-03-11?symbol=ALFA&trade=1").text

    assert 'id="trade"' in page
    assert "bought 100 ALFA at" in page or "bought 100 HOLED at" in page
    assert 'id="trade"' not in served.ask(f"/run/{run}/session/2024-03-11?trade=99999999999999").text


def test_what_happened_tells_the_stop_of_an_entry_from_the_entry(served: Served) -> None:
    run = served.ids()["kept"]

    page = served.ask(f"/run/{run}/session/2024-03-11?symbol=ALFA").text

    assert re.search(r"\b100 ALFA at [\d.]+ by Brackets: (stop|target)\b", page)


def test_a_chart_has_kept_bars_indicators_gaps_and_ends(served: Served) -> None:
    chart = chart_of(served, served.ids()["kept"], "HOLED")

    assert chart["kept"]
    assert chart["interval"] == "1m"
    assert {line["name"] for line in chart["lines"]} == {"sma_20_5m", "rsi_14_5m"}
    assert chart["rows"] == len(chart["end"]) == len(chart["time"]) == 390 - 21
    assert chart["gaps"] == [{"row": 210, "missing": 21}]


def test_a_chart_reaches_back_over_sessions_in_any_interval(served: Served) -> None:
    run = served.ids()["plain"]

    assert len(chart_of(served, run, "BRVO", interval="5m", sessions="2")["time"]) == 2 * 78
    assert chart_of(served, run, "BRVO", interval="1h")["interval"] == "60m"
    assert "no bars" in chart_of(served, run, "NOBODY")["error"]
    assert "9x" in chart_of(served, run, "BRVO", interval="9x")["error"]


def test_the_rows_of_a_long_chart_are_asked_for_as_they_come_into_sight(served: Served) -> None:
    run = served.ids()["plain"]
    chart = chart_of(served, run, "BRVO", interval="1m", sessions="2")
    place = f"/run/{run}/data/chart?chart={chart['chart']}"

    part = read_chart(served.content(f"{place}&first=3&after=400")[2])
    beyond = read_chart(served.content(f"{place}&first=770&after=9999")[2])

    assert chart["rows"] == 2 * 390
    assert chart["starts"] == [390]
    assert (part["first"], part["after"]) == (3, 400)
    for name in ("time", "end", "open", "close", "volume"):
        assert part[name] == chart[name][3:400], name
        assert beyond[name] == chart[name][770:], name
    assert "no longer there" in json.loads(served.ask(f"/run/{run}/data/chart?chart=0&first=0&after=1").text)["error"]
    assert "error" in json.loads(served.ask(f"{place}&first=-1&after=x").text)


def test_a_session_that_kept_nothing_is_played_again_on_request(served: Served) -> None:
    run = served.ids()["plain"]
    place = f"/run/{run}/session/{DAY}"
    origin = f"http://{served.host}"
    before = chart_of(served, run, "ALFA")

    refused = [
        served.ask(f"{place}/play", method="POST", body=body, Origin=origin).status
        for body in ("", "token=x", "x" * 20_000)
    ]
    began = served.ask(f"{place}/play", method="POST", body=f"token={served.server.token}", Origin=origin)
    while json.loads(served.ask(f"/run/{run}/data/playing?day={DAY}").text)["state"] == "playing":
        time.sleep(0.05)
    after = chart_of(served, run, "ALFA")

    assert refused == [403, 403, 413]
    assert (began.status, began.headers["location"]) == (303, place)
    assert before["lines"] == []
    assert {line["name"] for line in after["lines"]} == {"sma_20_5m", "rsi_14_5m"}
    assert [after[name] for name in ("close", "end")] == [before[name] for name in ("close", "end")]
    assert "which was played again" in served.ask(place).text


def test_a_page_says_why_a_symbol_is_missing(served: Served) -> None:
    run = served.ids()["kept"]

    refused = served.ask(f"/run/{run}/why?symbol=IBM").text
    nobody = served.ask(f"/run/{run}/why?symbol=BRVO").text
    unknown = served.ask(f"/run/{run}/why?symbol=XYZ").text

    assert "Why is IBM missing?" in refused
    assert "has no bars of IBM" in refused
    assert "symbol IBM refused" in refused
    assert "nobody asked for it in this run" in nobody
    assert "Its store has bars of it: 1m from 2024-03-08" in nobody
    assert "Its store has no bars of it either" in unknown


def test_a_page_draws_who_asked_for_a_symbol_down_to_its_bars(served: Served) -> None:
    page = served.ask(f"/run/{served.ids()['kept']}/why?symbol=HOLED&day={DAY}").text

    for text in (
        "config",
        "strategy Brackets",
        "369 of 390 today",
        "5m bars, of 1m",
        "sma_20_5m",
        "20 bars asked",
        "asked 202 bars",
    ):
        assert text in page, text
    assert f"/session/{DAY}?symbol=HOLED&amp;interval=1m" in page
    assert 'href="#record-1"' in page


@pytest.mark.parametrize(("of", "record"), [("sma_20_5m", 3), ("rsi_14_5m", 3), ("1m", 0), ("5m", 0)])
def test_bars_and_indicators_lead_to_the_addition_that_brought_them(served: Served, of: str, record: int) -> None:
    place = f"/run/{served.ids()['kept']}/why?symbol=HOLED&day={DAY}"

    answer = served.ask(f"{place}&of={of}")

    assert (answer.status, answer.headers["location"]) == (303, f"{place}#record-{record}")
    assert f'id="record-{record}"' in served.ask(place).text
    assert served.ask(f"{place}&of=nothing").status == 200


def test_without_a_symbol_it_is_the_journal_of_a_session(served: Served) -> None:
    page = served.ask(f"/run/{served.ids()['kept']}/why?day={DAY}").text

    assert "<h1>Journal</h1>" in page
    assert all(f"<td>{symbol}</td>" in page for symbol in ("ALFA", "HOLED", "IBM"))


@pytest.mark.parametrize("place", ["session/2024-13-01", "session/2024-03-10", "why?symbol=A&day=x", "session/x/play"])
def test_a_day_that_is_none_is_said(served: Served, place: str) -> None:
    answer = served.ask(f"/run/{served.ids()['kept']}/{place}")

    assert answer.status in (405, 422)
    assert "<h1>" in answer.text


def test_hostile_names_are_shown_and_not_obeyed_on_every_page(served: Served) -> None:
    run = next(run for name, run in served.ids().items() if "onerror" in name)
    places = [
        f"session/{DAY}",
        f"session/{DAY}?trade=1",
        f"why?day={DAY}",
        "why?symbol=%3Ci%3Emissing%3C/i%3E%E2%80%AE",
    ]
    places += [f"why?symbol={quote(name)}" for name in ("</script><script>document.title='owned'</script>", "../../x")]

    for place in places:
        answer = served.ask(f"/run/{run}/{place}")
        assert answer.status == 200, place
        for text in ("<script>document", "<img/src", "<i>missing", "\u202e", "</option></select><script>"):
            assert text not in answer.text, (place, text)


def test_a_run_that_fails_or_goes_away_meanwhile_is_said(start_server: Callable[..., Served], tmp_path: Path) -> None:
    damaged, gone = tmp_path / "damaged", tmp_path / "gone"
    for folder in (damaged, gone):
        folder.mkdir()
        (folder / "journal.jsonl").write_text("{\n")
        (folder / "config.json").write_text("{}")
        (folder / "summary.json").write_text("[")
    served = start_server(tmp_path)
    ids = served.ids()
    for file in gone.iterdir():
        file.unlink()

    assert served.ask(f"/run/{ids['damaged']}").status == 200
    assert served.ask(f"/run/{ids['damaged']}/session/{DAY}").status == 422
    assert served.ask(f"/run/{ids['damaged']}/why?symbol=A").status == 422
    assert served.ask(f"/run/{ids['gone']}").status == 404
