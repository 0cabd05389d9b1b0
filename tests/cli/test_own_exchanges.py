"""Commands on a store take the exchange that a config has, own sessions included."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from made_bars import made_store
from openbell.cli.app import app
from openbell.config import load_config

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


def test_hints_name_the_exchange_of_the_config(config: Path) -> None:
    own = load_config(config)

    assert own.exchange_option == f" --exchange {config}"
    for exchange, option in (("XNYS", ""), ("XLON", " --exchange XLON"), ("24/7", " --exchange 24/7")):
        assert load_config({**own.resolved(), "exchange": exchange}).exchange_option == option
