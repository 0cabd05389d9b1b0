"""The report of a run: one file that tells what it did, whatever became of the run and whatever it is named."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import polars as pl
import pytest

from openbell import ConfigError
from openbell.pages.report import run_report
from openbell.testing import bar_starts, make_store, random_bars
from pages.conftest import FIRST, HOSTILE, LAST, TRADERS, made_run
from pages.html_reading import Page, hash_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def kept(kept_run: Path) -> Page:
    return Page(run_report(kept_run))


def test_it_shows_what_the_run_earned_with_its_numbers(kept_run: Path, kept: Page) -> None:
    performance = json.loads((kept_run / "summary.json").read_text())["performance"]

    assert f"{performance['net_profit']:+,.2f}" in kept.text
    assert f"{performance['max_drawdown']:.2%}" in kept.text
    assert all(words in kept.text for words in ("Net profit", "Deepest drawdown", "mean of a trade", "Profit factor"))


def test_warnings_come_before_the_numbers(kept: Page) -> None:
    ids = [str(attributes["id"]) for tag, attributes in kept.elements if tag == "section"]

    assert ids[:2] == ["warnings", "earned"]
    assert "hardly more than a guess" in kept.text
    assert "Symbols of the config were dropped: NONE." in kept.text


def test_a_run_without_oddities_has_no_warnings(plain_store: Path, tmp_path: Path) -> None:
    folder = made_run(tmp_path / "run", plain_store, ["ALFA"], execution=None, strategies=[])

    page = Page(run_report(folder))

    assert next(a["id"] for tag, a in page.elements if tag == "section") == "earned"
    assert "Nothing was dropped or refused." in page.text
    assert "no candles are marked" in page.text


def test_only_what_is_in_the_page_may_run_and_nothing_is_loaded(kept: Page) -> None:
    code = [text for attributes, text in kept.scripts if attributes.get("type") != "application/json"]

    assert len(code) == 4
    assert kept.policy["default-src"] == "'none'"
    assert kept.policy["script-src"].split() == [hash_of(text) for text in code]
    assert kept.policy["style-src"].split() == [hash_of(text) for text in kept.styles]
    assert kept.addresses() == []
    assert not [name for _, attributes in kept.elements for name in attributes if name == "style" or name[:2] == "on"]
    links = {str(a["href"]) for tag, a in kept.elements if tag == "a"}
    assert {link for link in links if not link.startswith("#")} == {"https://www.tradingview.com/"}


def test_links_and_labels_lead_somewhere(kept: Page) -> None:
    ids = [str(attributes["id"]) for _, attributes in kept.elements if "id" in attributes]
    aims = [str(a["href"])[1:] for tag, a in kept.elements if tag == "a" and str(a["href"])[0] == "#"]
    aims += [str(a["for"]) for tag, a in kept.elements if tag == "label"]

    assert len(ids) == len(set(ids))
    assert set(aims) <= set(ids)


def test_charts_are_named_as_their_makers_ask(kept: Page) -> None:
    assert "TradingView Lightweight Charts™, Copyright © TradingView, Inc." in " ".join(kept.text.split())


def test_the_key_explains_what_is_drawn_and_nothing_else(kept: Page, hostile_run: Path) -> None:
    signals = " ".join(Page(run_report(hostile_run, most_charts=1)).text.split())

    assert "▲ bought ▼ sold trade that won trade that lost stop limit or target begin of a session" in " ".join(
        kept.text.split()
    )
    assert "synthetic bar" not in kept.text
    assert "stop limit or target" not in signals


def test_only_a_run_that_kept_no_indicators_is_told_how_to(
    kept: Page, hostile_run: Path, plain_store: Path, tmp_path: Path
) -> None:
    bare = Page(run_report(made_run(tmp_path / "run", plain_store, ["ALFA"]), most_charts=1))

    assert "run with --indicators" in bare.text
    assert "run with --indicators" not in kept.text


def test_a_trade_is_on_its_candles_at_its_bars_and_prices(kept_run: Path, kept: Page) -> None:
    trades = pl.read_parquet(kept_run / "trades.parquet").with_row_index("number", offset=1)
    drawn = {trade["number"]: (w, trade) for w in kept.data["windows"] for trade in w["trades"]}

    assert set(drawn) == set(trades["number"])
    for row in trades.iter_rows(named=True):
        window, trade = drawn[row["number"]]
        time = [sum(window["time"][: n + 1]) for n in (trade["from"], trade["to"])]
        assert window["symbol"] == row["symbol"]
        assert (trade["entry"], trade["exit"]) == (row["entry_price"], row["exit_price"])
        assert time[0] == row["entry_time"].timestamp(), "entered at the open of its bar"
        left = row["exit_time"].timestamp()
        assert time[1] <= left <= time[1] + 60
        assert window["low"][trade["to"]] <= row["exit_price"] * 1.001
        assert window["high"][trade["to"]] >= row["exit_price"] * 0.999


def test_stops_and_targets_rest_from_the_entry_to_the_exit(kept: Page) -> None:
    window = max(kept.data["windows"], key=lambda w: len(w["trades"]) if w["symbol"] == "ALFA" else 0)
    levels = {(level["kind"], level["from"], level["to"]): level["price"] for level in window["levels"]}

    assert len(window["trades"]) > 5
    for trade in window["trades"]:
        stop, target = (levels[kind, trade["from"], trade["to"]] for kind in ("stop", "limit"))
        assert stop < trade["entry"] < target
        assert min(abs(trade["exit"] / price - 1) for price in (stop, target)) < 0.002


def test_indicators_that_were_kept_are_drawn_as_they_were_known(kept_run: Path, kept: Page) -> None:
    window = next(w for w in kept.data["windows"] if w["symbol"] == "ALFA")
    names = {line["name"]: line for line in window["lines"]}
    day = min(path.name for path in (kept_run / "indicators").iterdir())
    known = pl.read_parquet(kept_run / "indicators" / day / "ALFA_5m.parquet")
    at = window["time"][0] + 60 * 100  # the bar that ends 101 minutes after the open sees the 5m bar of 11:10
    row = known.filter(pl.col("end").dt.epoch("s") <= at + 60).tail(1)

    assert set(names) == {"sma_20_5m", "rsi_14_5m"}
    assert (names["sma_20_5m"]["over"], names["rsi_14_5m"]["over"]) == (True, False)
    assert names["rsi_14_5m"]["values"][100] == pytest.approx(row["rsi_14_5m"][0], abs=0.01)


def test_small_prices_keep_their_digits(kept: Page) -> None:
    window = next(w for w in kept.data["windows"] if w["symbol"] == "PENNY")

    assert window["decimals"] == 9
    assert len(set(window["close"])) > 100
    assert "0.0000198" in kept.text
    assert "e-05" not in kept.text


def test_hostile_names_and_reasons_are_shown_and_not_obeyed(hostile_run: Path) -> None:
    html = run_report(hostile_run)
    page = Page(html)

    html.encode("utf-8")
    assert len(page.scripts) == 5
    assert "\u202e" not in html
    assert all(symbol in page.text for symbol in HOSTILE)
    assert "</script><script>document.title='owned'</script> \\ud800 \\u202e <b>" in page.text
    assert {w["symbol"] for w in page.data["windows"]} == set(HOSTILE)
    assert not [tag for tag, _ in page.elements if tag in ("b", "i", "img")][len(page.data["windows"]) + 9 :]


def test_a_name_that_somebody_wrote_into_the_summary_is_escaped(kept_run: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(kept_run, tmp_path / "run")
    summary = json.loads((folder / "summary.json").read_text())
    summary |= {"session_name": "<script>1</script>", "warnings": ["<img src=x onerror=y>"], "store_label": "<b>"}
    (folder / "summary.json").write_text(json.dumps(summary))

    page = Page(run_report(folder))

    assert len(page.scripts) == 5
    assert "<script>1</script>" in page.text
    assert "<img src=x onerror=y>." in page.text


class TestCandles:
    """Where candles come from."""

    @pytest.fixture
    def traded(self, plain_store: Path, tmp_path: Path) -> Path:
        return made_run(tmp_path / "run", plain_store, ["ALFA"])

    def test_bars_that_the_run_did_not_keep_come_from_the_store(self, traded: Path, kept: Page) -> None:
        page = Page(run_report(traded))

        own = {(w["time"][0], w["symbol"]): w for w in page.data["windows"]}
        of_run = {(w["time"][0], w["symbol"]): w for w in kept.data["windows"] if w["symbol"] == "ALFA"}
        assert "the store as it is now" in page.text
        assert own.keys() == of_run.keys()
        assert all(own[key]["close"] == of_run[key]["close"] for key in own)

    def test_without_a_store_the_report_says_so(self, traded: Path, plain_store: Path, tmp_path: Path) -> None:
        config = json.loads((traded / "config.json").read_text())
        (traded / "config.json").write_text(json.dumps({**config, "store": str(tmp_path / "gone")}))

        page = Page(run_report(traded))
        again = Page(run_report(traded, store=plain_store))

        assert page.data["windows"] == []
        assert "No candles of ALFA:" in page.text
        assert str(tmp_path / "gone") in page.text
        assert again.data["windows"]

    def test_kept_bars_that_are_damaged_are_named(self, kept_run: Path, tmp_path: Path) -> None:
        folder = shutil.copytree(kept_run, tmp_path / "run")
        for file in folder.glob("bars/*/*.parquet"):
            file.write_bytes(b"nothing")

        page = Page(run_report(folder))

        assert "the bars that the run kept cannot be read" in page.text

    def test_no_more_charts_than_asked_for_and_the_rest_is_told(self, kept_run: Path) -> None:
        page = Page(run_report(kept_run, most_charts=2))

        assert len(page.data["windows"]) == 2
        assert "more charts are left out, of trades that won or lost less" in page.text
        assert len([a for tag, a in page.elements if tag == "button" and a.get("class") == "show"]) == sum(
            len(w["trades"]) for w in page.data["windows"]
        )


class TestEndings:
    """Runs that did not come to their end, and folders that somebody has been in."""

    @pytest.fixture
    def folder(self, kept_run: Path, tmp_path: Path) -> Path:
        return shutil.copytree(kept_run, tmp_path / "run")

    def test_a_run_that_was_killed_shows_what_it_wrote(self, folder: Path) -> None:
        for name in ("summary.json", *(path.name for path in folder.glob("*.parquet"))):
            (folder / name).unlink()
        with (folder / "fills.jsonl").open("a") as lines:
            lines.write('{"date": "2024-0')

        page = Page(run_report(folder))

        assert "The run is unfinished: it has no summary.json: it is running, or was killed" in page.text
        assert sum(len(w["marks"]) for w in page.data["windows"]) > 50
        assert "It has not come to its end" in page.text

    def test_a_failed_run_says_why_first(self, folder: Path) -> None:
        summary = json.loads((folder / "summary.json").read_text())
        (folder / "summary.json").write_text(json.dumps({**summary, "error": "the strategy raised"}))

        page = Page(run_report(folder))

        assert page.text.index("The run is failed: the strategy raised") < page.text.index("Net profit")

    # Each file with some of the contents, each content in some of the files: all 30 pairs would show the same again.
    @pytest.mark.parametrize(
        ("name", "content"),
        [
            *(("summary.json", content) for content in (b"", b"[]", b"{}", b"\xff\xfe{", b'{"days": 1}\n')),
            *(("config.json", content) for content in (b"[]", b"\xff\xfe{")),
            *(("trades.parquet", content) for content in (b"", b"{}")),
            *(("equity.parquet", content) for content in (b"\xff\xfe{",)),
            *(("orders.jsonl", content) for content in (b"[]", b"\xff\xfe{", b'{"days": 1}\n')),
            *(("orders.parquet", content) for content in (b"", b'{"days": 1}\n')),
        ],
    )
    def test_no_damage_of_a_file_ends_in_a_traceback(self, folder: Path, name: str, content: bytes) -> None:
        (folder / name).write_bytes(content)

        assert "Before you read on" in Page(run_report(folder)).text

    def test_a_folder_that_is_no_run_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="is not the folder of a run"):
            run_report(tmp_path)

    def test_a_table_of_something_else_is_named(self, folder: Path) -> None:
        pl.DataFrame({"symbol": ["A"]}).write_parquet(folder / "trades.parquet")

        assert "trades.parquet is not what a run writes: it has no strategy" in Page(run_report(folder)).text


def test_a_daily_bar_has_the_date_of_its_session_where_that_opens_on_the_date_before(tmp_path: Path) -> None:
    bars = random_bars(bar_starts("2024-03-04", LAST, "1d", exchange="XASX"))
    store = make_store(tmp_path / "store", {"SYD": {"1d": bars}})
    data = {"symbols": ["SYD"], "streams": ["1d"]}
    trader = {"module": f"{TRADERS}:Daily"}
    run = made_run(
        tmp_path / "run", store, ["SYD"], exchange="XASX", session_data_config=data, strategies=[trader], execution=None
    )

    (window,) = Page(run_report(run)).data["windows"]

    seconds = [sum(window["time"][: n + 1]) for n in range(len(window["time"]))]
    assert [datetime.fromtimestamp(s, UTC).date() for s in seconds][-4:] == [
        date(2024, 3, day) for day in (11, 12, 13, 14)
    ]
    assert [mark["row"] for mark in window["marks"]] == [len(seconds) - n for n in (4, 3, 2, 1)]


def test_numbers_that_are_not_finite_are_none_in_the_page(without_measure: Path) -> None:
    page = Page(run_report(without_measure))

    window = next(w for w in page.data["windows"] if w["symbol"] == "ALFA")
    assert set(window["volume"]) == {None}
    assert set(next(line for line in window["lines"] if line["name"] == "rsi_14_5m")["values"]) == {None}


def test_volumes_that_add_up_to_no_number_are_shown_in_a_report(tmp_path: Path) -> None:
    minutes = random_bars(bar_starts(FIRST, FIRST)).with_columns(volume=1e308)
    store = make_store(tmp_path / "store", {"ALFA": {"1m": minutes}})
    run = made_run(
        tmp_path / "run", store, ["ALFA"], session_data_config={"symbols": ["ALFA"], "streams": ["1m"]}, strategies=[]
    )

    assert "ALFA" in Page(run_report(run)).text
