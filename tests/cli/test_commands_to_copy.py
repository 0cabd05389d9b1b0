"""A command that a message tells names the real store, stands on one line, and works when it is copied."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from typer.testing import CliRunner

from made_actions import actions
from made_bars import made_store
from openbell.actions import ActionStore
from openbell.cli.app import app
from openbell.cli.terminal.console import err, out
from openbell.errors import DamagedFileError
from openbell.store.store import BarStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MONTH = "bars/interval=1m/symbol=A/2013-11.parquet"


@pytest.fixture(autouse=True)
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    for console in (out, err):
        monkeypatch.setattr(console, "_width", 40)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_store(tmp_path_factory.mktemp("whole") / "store", ["A"], "2013-10-30", "2013-11-05", intervals=["1m"])


@pytest.fixture
def store(whole: Path, tmp_path: Path) -> Path:
    return shutil.copytree(whole, tmp_path / "my own store")


def call(*words: object) -> Any:
    return CliRunner().invoke(app, list(map(str, words)))


def command_in(told: str, beginning: str) -> list[str]:
    """The words of the one command in a text that begins so; they end with the line or a closing backtick."""
    (command,) = re.findall(rf"({beginning}[^`\n]*)", told)
    return shlex.split(command)[1:]


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def lose_manifest_and_change_types(store: Path) -> None:
    bars = pl.read_parquet(store / MONTH)
    bars.with_columns(pl.col("timestamp").dt.cast_time_unit("us")).write_parquet(store / MONTH)
    (store / "manifest.parquet").unlink()


def damage_actions(store: Path) -> None:
    ActionStore(store).write(actions(("A", date(2013, 11, 4), "split", 2)))
    flip(ActionStore(store).path)


@pytest.mark.parametrize(
    "damage",
    [
        lambda store: flip(store / MONTH),
        lambda store: flip(store / "manifest.parquet"),
        lambda store: (store / "openbell-store.json").unlink(),
        lambda store: (store / "pending.json").write_text("{"),
        lambda store: (store / "fetched").mkdir() or (store / "fetched" / "unavailable.parquet").write_text("x"),
        lose_manifest_and_change_types,
        damage_actions,
    ],
    ids=["month", "manifest", "marker", "note", "fetched", "types", "actions"],
)
def test_what_mends_a_store(store: Path, damage: Callable[[Path], Any]) -> None:
    damage(store)
    told = call("data", "verify", "--store", store)
    call(*command_in(told.stdout, "openbell data repair"))

    assert told.exit_code == 1
    assert call("data", "verify", "--store", store).exit_code == 0


@pytest.mark.parametrize("name", [MONTH, "manifest.parquet"])
def test_what_mends_a_file_that_somebody_wanted_to_read(store: Path, name: str) -> None:
    flip(store / name)
    with pytest.raises(DamagedFileError) as told:
        BarStore.open(store).read(["A"], "1m", None, None)
    call(*command_in(str(told.value), "openbell data repair"))

    assert call("data", "verify", "--store", store).exit_code == 0


def test_what_mends_actions_that_somebody_wanted_to_read(store: Path) -> None:
    damage_actions(store)
    told = call("data", "actions", "--store", store)
    command = command_in(told.stderr, "openbell data repair")
    call(*command)

    assert told.exit_code == 1
    assert command[-1] == str(store)
    assert call("data", "verify", "--store", store).exit_code == 0


@pytest.mark.parametrize("command", ["plan", "run"])
def test_what_lists_the_store_that_lacks_a_symbol(store: Path, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(store.parent)
    config = {
        "store": str(store),
        "backtest_config": {"start_date": "2013-11-05", "end_date": "2013-11-05"},
        "session_data_config": {"symbols": ["A", "ZZZZZZ"]},
    }
    (store.parent / "session.json").write_text(json.dumps(config), encoding="utf-8")

    told = call(command, "session.json")
    listed = call(*command_in(told.stdout, "openbell data ls"))

    assert told.exit_code == listed.exit_code == 0, told.output
    assert "2013-11" in listed.stdout


def test_what_lists_the_bars_that_a_repair_built(store: Path) -> None:
    bars = BarStore.open(store)
    sums = bars.read(["A"], "1m", None, None).group_by_dynamic("timestamp", every="1d")
    prices = (pl.col("open").first(), pl.col("high").max(), pl.col("low").min(), pl.col("close").last())
    bars.write("A", "1d", sums.agg(*prices, pl.col("volume").sum()))
    flip(store / "bars/interval=1d/symbol=A/all.parquet")
    call("data", "repair", "--store", store)

    listed = call(*command_in(call("data", "ls", "--store", store).stdout, "openbell data ls"))

    assert listed.exit_code == 0, listed.output
    assert "390 minutes" in " ".join(listed.stdout.split())
