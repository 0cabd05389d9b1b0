"""`openbell data actions` lists what is known; `openbell data import actions` tells what became of each row."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from made_bars import made_store
from openbell.actions import Action
from openbell.cli.app import app
from openbell.cli.output.session_view import adjusted_lines

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "symbol,ex_date,type,value\n"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return made_store(tmp_path / "store", ["AAPL"], "2014-06-02", "2014-06-10", intervals=["1d"])


def call(*args: object) -> Any:
    return CliRunner().invoke(app, ["data", *map(str, args)], env={"COLUMNS": "100"})


def imported(store: Path, rows: str, *more: str) -> Any:
    path = store.parent / "actions.csv"
    path.write_text(HEADER + rows)
    return call("import", "actions", path, "--store", store, *more)


def test_what_is_imported_is_listed(store: Path) -> None:
    told = imported(store, "AAPL,2014-06-09,split,7\nAAPL,2014-05-08,dividend,3.29\nFB,2022-06-09,rename,META\n")
    table = call("actions", "--store", store)
    as_json = call("actions", "AAPL", "META", "--store", store, "--json")

    assert "3 added, 0 revised, 0 unchanged" in told.stdout
    assert "note: the store has no bars of FB." in told.stderr
    assert ["AAPL", "2014-06-09", "split", "7", "for", "1"] in [line.split() for line in table.stdout.splitlines()]
    assert [entry["type"] for entry in json.loads(as_json.stdout)] == ["dividend", "split", "rename"]
    assert json.loads(as_json.stdout)[1] == {
        "symbol": "AAPL", "ex_date": "2014-06-09", "type": "split", "value": 7.0
    }  # fmt: skip


def test_rows_that_cannot_be_are_told_and_kept(store: Path) -> None:
    told = imported(store, "AAPL,2014-06-09,split,7\nAAPL,2014-06-09,split,seven\n")
    as_json = imported(store, "AAPL,2014-06-09,split,7\nAAPL,2014-06-09,split,seven\n", "--json")

    assert told.exit_code == 0
    assert "warning: 1 row cannot be used and was set aside in" in told.stderr
    assert json.loads(as_json.stdout)["unchanged"] == 1
    assert json.loads(as_json.stdout)["quarantine"].endswith("actions-actions-1.csv")


def test_a_typo_in_a_symbol_is_told(store: Path) -> None:
    told = imported(store, "APPL,2014-06-09,split,7\n")
    listed = call("actions", "AAPLE", "--store", store)

    assert "note: the store has no bars of APPL. Did you mean 'AAPL'?" in told.stderr
    assert listed.exit_code == 2
    assert "unknown symbol 'AAPLE'. Did you mean 'AAPL' or 'APPL'?" in listed.stderr


@pytest.mark.parametrize("symbols", [(), ("AAPL",)])
def test_no_actions_are_told(store: Path, symbols: tuple[str, ...]) -> None:
    listed = call("actions", *symbols, "--store", store)

    assert listed.exit_code == 0
    assert listed.stdout == ""
    assert "The store knows no corporate actions" in listed.stderr


def test_a_damaged_file_is_named(store: Path) -> None:
    imported(store, "AAPL,2014-06-09,split,7\n")
    (store / "actions" / "actions.parquet").write_bytes(b"PAR1 is not enough")
    listed = call("actions", "--store", store)

    assert listed.exit_code == 1
    assert "actions.parquet is damaged" in listed.stderr.replace("\n", "")


def test_many_actions_are_told_in_a_line() -> None:
    dividends = [Action("X", date(2014, n, 3), "dividend", 0.5) for n in range(1, 6)]

    assert list(adjusted_lines("X", [])) == []
    (line,) = adjusted_lines("X", dividends)

    assert line.startswith("[cyan]adjusted[/] X bars: 2 earlier actions, dividend of 0.5 on 2014-03-03, ")
    assert line.endswith(", dividend of 0.5 on 2014-05-03")
