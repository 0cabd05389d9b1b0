"""`openbell check` says that a config is good, or everything that is wrong with it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from openbell.cli.app import app
from openbell.testing import bar_starts, make_store, random_bars

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """\
backtest_config: {start_date: 2013-10-10, end_date: 2013-10-11}
session_data_config:
  symbols: [SPY, IBM]
  indicators: [{name: sma, period: 20, interval: 5m}]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "session.yaml"
    path.write_text(GOOD)
    return path


def test_a_good_config_is_called_good_with_what_it_asks_for(config: Path) -> None:
    result = CliRunner().invoke(app, ["check", str(config)])

    assert result.exit_code == 0
    assert "config is good" in result.stdout
    for told in ("2, 2013-10-10 to 2013-10-11 on XNYS", "SPY, IBM", "sma_20_5m"):
        assert told in result.stdout


def test_a_good_config_as_json(config: Path) -> None:
    result = CliRunner().invoke(app, ["check", str(config), "--json"])

    assert json.loads(result.stdout) == {
        "ok": True,
        "problems": [],
        "warnings": [],
        "session_name": "session",
        "exchange": "XNYS",
        "sessions": {"count": 2, "first": "2013-10-10", "last": "2013-10-11"},
        "symbols": ["SPY", "IBM"],
        "streams": ["1m"],
        "indicators": ["sma_20_5m"],
        "scanners": [],
        "strategies": [],
        "requirements": [],
    }


TRADING = """\
store: ../store
backtest_config: {start_date: 2024-07-02, end_date: 2024-07-02}
session_data_config: {symbols: [SPY]}
execution:
  benchmark: SPX
  instruments: {SPYY: {tick: 0.01}, IBM: {tick: 0.01}}
"""


def checked(tmp_path: Path, text: str) -> list[str]:
    """The warnings about a config beside a store of SPY and IBM."""
    bars = random_bars(bar_starts("2024-07-02", "2024-07-02"))
    make_store(tmp_path / "store", {symbol: {"1m": bars} for symbol in ("SPY", "IBM")})
    path = tmp_path / "configs" / "session.yaml"
    path.parent.mkdir()
    path.write_text(text)
    result = CliRunner().invoke(app, ["check", str(path), "--json"])
    assert result.exit_code == 0, result.output
    planned = CliRunner().invoke(app, ["plan", str(path), "--json"])
    warnings: list[str] = json.loads(result.stdout)["warnings"]
    assert set(warnings) <= set(json.loads(planned.stdout)["warnings"])
    return warnings


def test_a_benchmark_and_instruments_that_the_store_lacks_are_warnings(tmp_path: Path) -> None:
    assert checked(tmp_path, TRADING) == [
        "execution.benchmark is SPX, of which the store has no bars. Did you mean 'SPY'?",
        "execution.instruments names SPYY, of which the store has no bars. Did you mean 'SPY'?",
    ]


@pytest.mark.parametrize("exchange", ["US_FUTURES", "{name: OWN, like: CME, holidays: ['07-09']}"])
def test_futures_without_terms_are_a_warning(config: Path, exchange: str) -> None:
    config.write_text(
        f"exchange: {exchange}\nbacktest_config: {{start_date: 2024-07-02, end_date: 2024-07-02}}\n"
        "session_data_config: {symbols: [ES, NQ]}\n"
        "execution: {instruments: {NQ: {multiplier: 20, tick: 0.25, margin: 20000}}}\n"
    )

    result = CliRunner().invoke(app, ["check", str(config), "--json"])

    (warning,) = json.loads(result.stdout)["warnings"]
    assert warning.startswith("orders of ES will be rejected: on a calendar of futures each symbol needs its terms.")
    assert "execution.instruments: {ES: {multiplier: ..., tick: ..., margin: ...}}" in warning


@pytest.mark.parametrize(
    ("signals", "told"), [("{}", "simulated; signals stay signals"), ("{BUY: close}", "simulated")]
)
def test_it_says_whether_signals_are_traded(config: Path, signals: str, told: str) -> None:
    strategy = "{module: 'openbell.examples.ema_cross:EmaCross'}"
    config.write_text(f"{GOOD}execution: {{signals: {signals}}}\nstrategies: [{strategy}]\n")

    result = CliRunner().invoke(app, ["check", str(config)])

    (line,) = [line for line in result.stdout.splitlines() if line.strip().startswith("orders")]
    assert line.split("orders")[1].strip() == told


def test_a_store_is_named_without_detours(tmp_path: Path) -> None:
    path = tmp_path / "configs" / "session.yaml"
    path.parent.mkdir()
    path.write_text(TRADING)

    result = CliRunner().invoke(app, ["check", str(path), "--json"])

    assert str(tmp_path / "store") in result.stdout
    assert "/.." not in result.stdout


@pytest.mark.parametrize(
    ("good", "bad", "told"),
    [
        ("symbols:", "symbls:", "session_data_config.symbls: unknown key; did you mean 'symbols'?"),
        ("name: sma", "name: smaa", "session_data_config.indicators[0]: unknown indicator 'smaa'"),
        ("{start_date", "[start_date", "session.yaml, line 1"),
    ],
)
def test_a_bad_config_exits_2_and_tells_why(config: Path, good: str, bad: str, told: str) -> None:
    config.write_text(GOOD.replace(good, bad))

    for_people = CliRunner().invoke(app, ["check", str(config)])
    as_json = CliRunner().invoke(app, ["check", str(config), "--json"])

    assert for_people.exit_code == as_json.exit_code == 2
    assert told in for_people.stderr
    assert for_people.stdout == ""
    report = json.loads(as_json.stdout)
    assert report["ok"] is False
    assert any(told in problem for problem in report["problems"])


@pytest.mark.parametrize("command", ["check", "run", "plan"])
def test_problems_are_told_with_the_file_as_it_was_named_and_their_lines(
    config: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(config.parent)
    config.write_text(
        GOOD.replace("name: sma", "name: smaa") + "strategies:\n  - config: {}\n    module: none.py:None\n"
    )

    told = CliRunner().invoke(app, [command, config.name]).stderr.splitlines()

    first, *problems = [line for line in told if "runs/" not in line]
    lines = config.read_text().splitlines()
    at = [1 + next(i for i, line in enumerate(lines) if text in line) for text in ("smaa", "none.py")]
    assert first == f"error: {config.name} has 2 problems:"
    assert [problem.split(":")[0].strip() for problem in problems] == [
        "session_data_config.indicators[0]",
        "strategies[0].module",
    ]
    assert [problem.endswith(f"(line {line})") for problem, line in zip(problems, at, strict=True)] == [True, True]


BROKEN = """\
backtest_config: {start_date: 2013-10-12, end_date: 2013-10-13}
session_data_config:
  symbols: [SPY]
  indicators:
    - {name: smaa, period: 20, interval: 5m}
    - {nam: sma, period: 20, interval: 5m}
    - {name: emaa, period: 20, interval: 5m}
scanners:
  - {module: "none.py:Gap", universe: none.txt, pre_session: true}
strategies:
  - {module: 5}
  - {module: "nothing.py:None"}
execution: {cash: abc, fees: {model: nopez}}
"""


def problems_of(config: Path, text: str) -> list[str]:
    config.write_text(text)
    result = CliRunner().invoke(app, ["check", str(config), "--json"])
    assert result.exit_code == 2
    return [problem.split(":")[0] for problem in json.loads(result.stdout)["problems"]]


BESIDE = [
    "session_data_config.indicators[0]",
    "session_data_config.indicators[1].name",
    "session_data_config.indicators[1].nam",
    "session_data_config.indicators[2]",
    "scanners[0].module",
    "scanners[0].universe",
    "strategies[0].module",
    "strategies[1].module",
    "execution.cash",
    "execution.fees",
]


@pytest.mark.parametrize(
    ("good", "bad", "places"),
    [
        ("cash", "cash", ["backtest_config", *BESIDE]),
        ("2013-10-12", "2013-13-12", ["backtest_config.start_date", *BESIDE]),
        ("[SPY]", "SPY", ["session_data_config.symbols", *BESIDE]),
        ("symbols: [SPY]", "streams: [1m]", ["session_data_config.symbols", *BESIDE]),
        ("execution: {", "execution: {", ["backtest_config", *BESIDE]),
        ("execution: {", "session_nam: x\nexecution: {", [*BESIDE[:8], "session_nam", *BESIDE[8:]]),
    ],
)
def test_parts_that_cannot_be_read_hide_no_problems_of_the_others(
    config: Path, good: str, bad: str, places: list[str]
) -> None:
    assert problems_of(config, BROKEN.replace(good, bad)) == places


def test_who_checks_a_config_with_unreadable_parts_is_told_to_check_again(config: Path) -> None:
    config.write_text(GOOD + "execution: {cash: abc}\n")

    told = CliRunner().invoke(app, ["check", str(config)]).stderr.splitlines()

    assert len(told) == 2
    assert told[1].startswith("Check again when all is mended")


def test_problems_of_a_part_that_follow_from_another_are_not_made_up(config: Path) -> None:
    session = "mode: live\nstore: 5\nlive: {provider: alpaca, keep_bars: true}\n"

    assert problems_of(config, GOOD + session) == ["store"]
    assert problems_of(config, GOOD + "live: {provider: alpacca}\nmode: live\n") == ["live.provider"]


def test_a_sweep_is_checked_beside_the_rest(config: Path) -> None:
    sweep = "sweep: {space: {session_data_config.indicators.0.perod: [1, 2]}}\n"

    problems = problems_of(config, GOOD.replace("name: sma", "name: smaa") + sweep)

    assert problems == ["session_data_config.indicators[0]", "session_data_config.indicators[0].perod"]


def test_a_store_that_is_not_there_is_a_warning_that_says_what_to_do(config: Path) -> None:
    config.write_text(GOOD + "store: bars\n")
    told = f"there is no folder {config.parent / 'bars'}"

    result = CliRunner().invoke(app, ["check", str(config)])
    as_json = json.loads(CliRunner().invoke(app, ["check", str(config), "--json"]).stdout)

    assert result.exit_code == 0
    assert f"warning: {told}" in result.stderr
    assert "openbell data import" in result.stderr
    assert as_json["ok"] is True
    assert told in as_json["warnings"][0]


def test_a_damaged_store_is_a_warning_that_names_its_repair(config: Path) -> None:
    config.write_text(GOOD + "store: bars\n")
    (config.parent / "bars" / "bars").mkdir(parents=True)

    result = CliRunner().invoke(app, ["check", str(config)])

    assert result.exit_code == 0
    assert f"openbell data repair --store {config.parent / 'bars'}" in result.stderr
