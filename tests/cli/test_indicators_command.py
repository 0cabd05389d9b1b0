"""`openbell indicators` lists what there is, and tells all about one."""

from __future__ import annotations

import json

import pytest
import yaml
from typer.testing import CliRunner

from openbell import indicators
from openbell.cli.app import app


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["indicators", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_the_list_names_all_by_group() -> None:
    code, text, _ = run()
    words = text.split()

    assert code == 0
    assert "Overlap Studies" in text
    assert {"sma", "vwap", "opening_range", "cdldoji"} <= set(words)


def test_the_list_as_json_has_one_entry_each() -> None:
    code, text, _ = run("--json")
    entries = {entry["name"]: entry for entry in json.loads(text)}

    assert code == 0
    assert tuple(entries) == indicators.names()
    assert entries["bbands"]["outputs"] == ["upperband", "middleband", "lowerband"]
    assert entries["bbands"]["inputs"] == ["close"]
    assert [p["name"] for p in entries["bbands"]["parameters"]] == ["timeperiod", "nbdevup", "nbdevdn", "matype"]
    assert entries["sma"]["parameters"][0]["minimum"] == 1


def test_one_is_told_with_lookback_settling_key_and_yaml() -> None:
    code, text, _ = run("EMA", "--period", "10", "--json")
    facts = json.loads(text)

    assert code == 0
    assert facts["params"] == {"timeperiod": 10}
    assert facts["lookback"] == {"bars": 10, "sessions": 0, "minutes": 0}
    assert facts["settling"] == 46
    assert facts["key"] == "ema_10_5m"
    assert yaml.safe_load(facts["yaml"]) == [{"name": "ema", "period": 10, "interval": "5m"}]


@pytest.mark.parametrize("name", ["macd", "bbands", "opening_range", "vwap", "keltner", "histvol"])
def test_the_yaml_asks_for_what_the_key_names(name: str) -> None:
    facts = json.loads(run(name, "--json")[1])
    [entry] = yaml.safe_load(facts["yaml"])
    params = indicators.get(entry["name"]).resolve(entry.get("period"), entry.get("params"))

    assert indicators.key(entry["name"], params, entry["interval"]) == facts["key"]


def test_parameters_may_be_given() -> None:
    code, text, _ = run("bbands", "--param", "nbdevup=2.5", "--param", "matype=ema", "--interval", "15m")

    assert code == 0
    assert "bbands_20_2.5_2_1_15m" in text
    assert "upperband, middleband, lowerband" in text


def test_a_cumulative_one_says_where_it_is_anchored() -> None:
    assert "never: it is cumulative, anchored at the first bar loaded" in run("obv")[1]
    assert json.loads(run("obv", "--json")[1])["cumulative"] is True


def test_one_of_sessions_says_how_many_it_needs() -> None:
    assert "20 complete sessions before its own" in run("relative_volume")[1]
    assert "30 minutes of its own session" in run("opening_range")[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["smaa"], "unknown indicator 'smaa'. Did you mean 'sma'"),
        (["sma", "--param", "timeperiode=3"], "Did you mean 'timeperiod'?"),
        (["sma", "--param", "timeperiod"], "write NAME=VALUE"),
        (["vwap", "--interval", "1d"], "vwap needs intraday bars"),
        (["--period", "3"], "belong to one indicator"),
    ],
)
def test_what_cannot_be_exits_with_2(arguments: list[str], message: str) -> None:
    code, out, err = run(*arguments)

    assert code == 2
    assert out == ""
    assert message in err


def test_the_text_of_an_indicator_flows_without_marks() -> None:
    _, text, _ = run("opening_range")

    assert "``" not in text
    assert "Opening Range Breakout (1990)" in " ".join(text.split())


def test_the_beginning_of_a_name_is_enough_for_a_suggestion() -> None:
    code, _, told = run("bb")

    assert code == 2
    assert "Did you mean 'bbands'?" in told
