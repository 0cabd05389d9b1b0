"""`openbell data rm` shows what would go, and removes it when that is confirmed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from made_bars import made_store
from openbell.cli.app import app
from openbell.cli.data import rm
from openbell.store.store import BarStore

if TYPE_CHECKING:
    from pathlib import Path


def call(*args: object, answer: str | None = None) -> Any:
    return CliRunner().invoke(app, ["data", "rm", *map(str, args)], input=answer, env={"COLUMNS": "100"})


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return made_store(tmp_path / "store", ["ACME", "BETA"], "2024-06-26", "2024-07-03", intervals=["1m", "1d"])


def test_without_yes_nothing_is_removed_and_what_would_be_is_shown(store: Path) -> None:
    result = call("ACME", "--store", store, "--interval", "1m")

    assert result.exit_code == 2
    assert all(reported in result.stdout for reported in ("ACME", "2,160", "2024-06-26 13:30Z", "2024-07-03 16:59Z"))
    assert "Add --yes" in result.stderr
    assert BarStore.open(store).intervals("ACME") == ("1m", "1d")
    assert "would_remove" in json.loads(call("ACME", "--store", store, "--json").stdout)


def test_yes_removes_what_was_asked_for(store: Path) -> None:
    result = call("ACME", "--store", store, "--interval", "1m", "--from", "2024-07-01", "--yes", "--json")

    (removed,) = json.loads(result.stdout)["removed"]
    assert (result.exit_code, removed["symbol"], removed["interval"], removed["rows"]) == (0, "ACME", "1m", 990)
    assert removed["first"] == "2024-07-01T13:30:00+00:00"
    assert "Removed 1,176 bars" in call("ACME", "--store", store, "--yes").stdout
    assert BarStore.open(store).symbols() == ("BETA",)


@pytest.mark.parametrize(("answer", "code", "left"), [("y\n", 0, ("BETA",)), ("n\n", 1, ("ACME", "BETA"))])
def test_a_person_is_asked(
    store: Path, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, left: tuple[str, ...]
) -> None:
    monkeypatch.setattr(rm, "_a_person_is_there", lambda: True)
    result = call("ACME", "--store", store, answer=answer)

    assert (result.exit_code, BarStore.open(store).symbols()) == (code, left)
    assert "Remove this?" in result.output


@pytest.mark.parametrize(
    ("words", "reported"),
    [
        (["ACNE"], "unknown symbol 'ACNE'. Did you mean 'ACME'?"),
        (["ACME", "--interval", "1w"], "--interval '1w' is not valid. Stores take"),
    ],
)
def test_what_the_store_does_not_know_is_refused(store: Path, words: list[str], reported: str) -> None:
    result = call("BETA", *words, "--store", store, "--yes")

    assert result.exit_code == 2
    assert reported in result.stderr
    assert BarStore.open(store).symbols() == ("ACME", "BETA")


def test_no_such_bars_is_reported(store: Path) -> None:
    result = call("ACME", "--store", store, "--from", "2030-01-01")

    assert (result.exit_code, "nothing to remove" in result.stderr) == (0, True)
