"""Commands on a store take the exchange that a config has, own sessions included."""

from __future__ import annotations

import json
import re
import shlex
from datetime import date
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from made_bars import made_store
from openbell import SystemManager
from openbell.cli.app import app
from openbell.config import load_config
from openbell.config.yaml12 import read_yaml
from openbell.errors import DataError, commands_name_exchange

if TYPE_CHECKING:
    from pathlib import Path

GLOBEX = """\
exchange: {name: MY_GLOBEX, like: CMES, breaks: [{start: "16:00", end: "17:00"}]}
backtest_config: {start_date: 2024-07-08, end_date: 2024-07-10}
session_data_config: {symbols: [ES]}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "globex.yaml"
    path.write_text(GLOBEX)
    return path


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Bars of ES without the hour of maintenance."""
    return made_store(tmp_path / "store", ["ES"], "2024-07-01", "2024-07-12", exchange="US_FUTURES", intervals=["1m"])


def output(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_bars_are_checked_against_the_own_exchange_of_a_config(store: Path, config: Path) -> None:
    def score(exchange: str) -> dict[str, float]:
        report = json.loads(output("data", "check", "--store", str(store), "--exchange", exchange, "--json"))
        return {report["exchange"]: report["series"][0]["score"]}

    assert score("CMES")["CMES"] < 97
    assert score(str(config))["MY_GLOBEX"] > 98
    assert score("US_FUTURES")["US_FUTURES"] == 100


def test_bars_are_imported_against_the_own_exchange_of_a_config(tmp_path: Path, config: Path) -> None:
    rows = [f"2024-07-08 {hour:02}:00:00,10,11,9,10,5" for hour in range(10)]
    (tmp_path / "ES.csv").write_text("\n".join(["time,open,high,low,close,volume", *rows]) + "\n")
    arguments = (str(tmp_path / "ES.csv"), "--store", str(tmp_path / "new"), "--exchange", str(config), "--yes")
    named = CliRunner().invoke(app, ["data", "import", "csv", *arguments, "--timezone", "America/Chicago"])

    assert named.exit_code == 0, named.output
    assert "outside the sessions" not in named.output


def test_a_store_is_repaired_by_the_own_exchange_of_a_config(store: Path, config: Path) -> None:
    assert json.loads(output("data", "repair", "--store", str(store), "--exchange", str(config), "--json"))


ONLY = 'exchange: {name: MY_GLOBEX, like: CMES, breaks: [{start: "16:00", end: "17:00"}]}'


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("only.yaml", ONLY),
        ("only.json", json.dumps(read_yaml(ONLY))),
        ("only.toml", '[exchange]\nname = "MY_GLOBEX"\nlike = "CMES"\nbreaks = [{start = "16:00", end = "17:00"}]'),
        ("broken.yaml", GLOBEX.replace("symbols: [ES]", "symbols: []")),  # the exchange of a config with other faults
    ],
)
def test_a_file_may_have_only_the_exchange(store: Path, tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)

    for command in (("data", "check"), ("data", "verify"), ("data", "repair")):
        assert json.loads(output(*command, "--store", str(store), "--exchange", str(tmp_path / name), "--json"))
    assert "MY_GLOBEX" in output("calendars", str(tmp_path / name), "--from", "2024-07-01")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("exchange: {name: X, like: CMES, brakes: []}", "exchange.brakes: unknown key; did you mean 'breaks'?"),
        ("exchange: [XNYS, XLON]", "one config has one exchange"),
        ("name: X\nlike: CMES", "names no exchange"),
        ("- 1", "must be a mapping"),
    ],
)
def test_a_file_without_a_good_exchange_is_refused(store: Path, tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "bad.yaml").write_text(text)

    for exchange in (str(tmp_path / "bad.yaml"), *(["{" + text[11:-1].strip("{}") + "}"] if "brakes" in text else [])):
        refused = CliRunner().invoke(app, ["data", "check", "--store", str(store), "--exchange", exchange])
        assert (refused.exit_code, problem in refused.stderr) == (2, True), refused.output


def test_a_config_without_an_exchange_is_of_new_york(tmp_path: Path) -> None:
    (tmp_path / "session.yaml").write_text(GLOBEX.split("\n", 1)[1])

    assert "XNYS" in output("calendars", str(tmp_path / "session.yaml"), "--from", "2024-07-01")


def test_hints_name_the_exchange_of_the_config(config: Path) -> None:
    own = load_config(config)

    assert own.exchange_option == f" --exchange {config}"
    for exchange, option in (("XNYS", ""), ("XLON", " --exchange XLON"), ("24/7", " --exchange 24/7")):
        assert load_config({**own.resolved(), "exchange": exchange}).exchange_option == option


def test_hints_of_a_config_without_a_file_can_be_copied(config: Path, store: Path) -> None:
    option = shlex.split(load_config({**read_yaml(GLOBEX), "store": str(store)}).exchange_option)

    report = json.loads(output("data", "check", "--store", str(store), *option, "--json"))

    assert report["exchange"] == "MY_GLOBEX"


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_every_command_that_a_run_advises_names_its_exchange(store: Path, config: Path) -> None:
    flip(store / "bars/interval=1m/symbol=ES/2024-07.parquet")
    for command in ("plan", "run"):
        told = CliRunner().invoke(app, [command, str(config), "--store", str(store)]).output
        assert f"openbell data repair --store {store} --exchange {config}" in " ".join(told.split()), told

    of_check = CliRunner().invoke(app, ["data", "check", "--store", str(store), "--exchange", str(config)]).output
    verify = re.search(r"`openbell (data verify [^`]+)`", of_check)
    assert verify is not None, of_check
    of_verify = CliRunner().invoke(app, shlex.split(verify[1])).output
    repair = re.search(r"openbell (data repair .+)", of_verify)
    assert repair is not None, of_verify
    assert str(config) in repair[1]
    assert CliRunner().invoke(app, shlex.split(repair[1])).exit_code == 1  # a month is lost


def test_an_import_that_is_advised_names_the_exchange(store: Path, config: Path) -> None:
    system = SystemManager(config, store=store)
    with commands_name_exchange(system.config.exchange_option), pytest.raises(DataError) as told:
        system.data_manager.load_historical_bars("NQ", "1m", date(2024, 7, 8), date(2024, 7, 8))

    assert f"openbell data import csv FILES --store {store} --exchange {config}" in str(told.value)
    assert str(told.value).count("--exchange") == 1


def test_a_command_without_an_exchange_advises_none_after_one_with(store: Path, config: Path) -> None:
    output("data", "verify", "--store", str(store), "--exchange", str(config))
    flip(store / "bars/interval=1m/symbol=ES/2024-07.parquet")

    assert "--exchange" not in CliRunner().invoke(app, ["data", "verify", "--store", str(store)]).output


def test_sessions_are_fetched_by_the_own_exchange_of_a_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("APCA_API_KEY_ID", "APCA_API_SECRET_KEY"):
        monkeypatch.setenv(name, "x")
    closed = tmp_path / "closed.yaml"
    closed.write_text("exchange: {name: CLOSED, like: XNYS, holidays: [2024-07-08]}")
    days = ("--from", "2024-07-08", "--to", "2024-07-08", "--store", str(tmp_path / "new"))

    refused = CliRunner().invoke(app, ["data", "fetch", "alpaca", "SPY", *days, "--exchange", str(closed)])

    assert (refused.exit_code, "no session from 2024-07-08" in refused.stderr) == (2, True), refused.output
