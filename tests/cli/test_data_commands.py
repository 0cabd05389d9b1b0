"""`openbell data` imports bars, lists them, and says what it could not store."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from openbell.cli.app import app
from openbell.cli.terminal.console import out

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "timestamp,open,high,low,close,volume\n"


def call(*args: object) -> Any:
    return CliRunner().invoke(app, ["data", *map(str, args)])


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "spy.csv"
    path.write_text(HEADER + "2013-10-10 09:30:00,1,2,0.5,1,1\n2013-10-10 09:31:00,1,0.5,2,1,1\n")
    return path


def test_imports_lists_and_imports_again_without_a_change(lean_dir: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    first = call("import", "lean", lean_dir, "--store", store, "--json")
    listing = call("ls", "--store", store, "--json")
    again = call("import", "lean", lean_dir, "--store", store, "--json")

    assert (first.exit_code, again.exit_code, listing.exit_code) == (0, 0, 0)
    rows = {(entry["symbol"], entry["interval"]): entry["rows"] for entry in json.loads(listing.stdout)}
    assert rows["IBM", "1d"] == 5849
    assert json.loads(first.stdout)["added"] == sum(rows.values()) == json.loads(again.stdout)["unchanged"]
    assert json.loads(again.stdout)["added"] == json.loads(again.stdout)["revised"] == 0
    assert call("ls", "--store", store, "--json").stdout == listing.stdout


def test_tables_are_for_people(lean_dir: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    imported = call("import", "lean", lean_dir, "--store", store, "--symbol", "ibm", "--interval", "1d")
    listed = call("ls", "--store", store)

    assert "5,849" in imported.stdout
    assert all(word in listed.stdout for word in ("IBM", "1d", "5,849", "1998-01-02", "2021-03-31"))


def test_rows_set_aside_are_told_on_stderr_and_the_rest_is_stored(csv: Path, tmp_path: Path) -> None:
    options = ("--interval", "1m", "--timezone", "America/New_York", "--store", tmp_path / "store")
    result = call("import", "csv", csv, *options, "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout)["added"] == 1
    assert json.loads(result.stdout)["set_aside"] == 1
    assert "1 row contradicts itself or cannot be read and was not stored" in result.stderr
    assert "quarantine" in result.stderr


def test_naive_times_are_refused_with_the_remedy(csv: Path, tmp_path: Path) -> None:
    result = call("import", "csv", csv, "--interval", "1m", "--store", tmp_path / "store")

    assert result.exit_code == 2
    assert "--timezone America/New_York" in result.stderr


def test_a_file_that_failed_is_named_and_makes_exit_code_1(tmp_path: Path) -> None:
    folder = tmp_path / "equity" / "usa" / "daily"
    folder.mkdir(parents=True)
    (folder / "bad.zip").write_bytes(b"no zip")
    with zipfile.ZipFile(folder / "good.zip", "w") as archive:
        archive.writestr("good.csv", "20131010 00:00,10000,10000,10000,10000,5\n")
    result = call("import", "lean", tmp_path, "--store", tmp_path / "store", "--json")

    assert result.exit_code == 1
    assert "bad.zip was not imported" in result.stderr
    assert [s["symbol"] for s in json.loads(result.stdout)["series"]] == ["GOOD"]


def test_nothing_usable_is_exit_code_1(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(HEADER + "2013-10-10,1,1,2,1,1\n")

    assert call("import", "csv", path, "--interval", "1d", "--store", tmp_path / "store").exit_code == 1


def test_the_store_is_asked_for_unless_one_is_here(csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    missing = call("ls")
    call("import", "csv", csv, "--interval", "1m", "--timezone", "UTC", "--store", "store")

    assert missing.exit_code == 2
    assert "--store" in missing.stderr
    assert "SPY" in call("ls").stdout


@pytest.mark.parametrize("command", ["ls", "check", "verify", "repair", "actions", "rm SPY"])
def test_a_folder_that_is_no_store_is_reported(tmp_path: Path, command: str) -> None:
    empty = call(*command.split(), "--store", tmp_path)
    missing = call(*command.split(), "--store", tmp_path / "nowhere")

    assert (empty.exit_code, missing.exit_code) == (2, 2)
    assert "not an openbell store" in empty.stderr
    assert f"there is no folder {tmp_path / 'nowhere'}." in missing.stderr
    assert list(tmp_path.iterdir()) == []


def test_bars_are_not_imported_into_a_folder_of_other_things(csv: Path, tmp_path: Path) -> None:
    result = call("import", "csv", csv, "--interval", "1m", "--timezone", "UTC", "--store", tmp_path)

    assert result.exit_code == 2
    assert "is not an openbell store and not empty" in result.stderr


def test_a_file_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "afile").write_text("text")
    result = call("ls", "--store", tmp_path / "afile")

    assert result.exit_code == 2
    assert "afile is a file. Name the folder of a store." in result.stderr


@pytest.mark.parametrize("width", [60, 80, 110])
def test_the_listing_never_cuts_a_number(
    lean_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    store = tmp_path / "store"
    call("import", "lean", lean_dir, "--store", store, "--symbol", "ibm", "--interval", "1d", "--interval", "1m")
    monkeypatch.setattr(out, "_width", width)
    lines = call("ls", "--store", store).stdout.splitlines()

    assert len(lines) == 4  # two of the heading
    assert "…" not in "".join(lines)
    assert max(map(len, lines)) <= width
    assert "5,849" in lines[-1]
    assert ("KiB" in lines[-1]) is (width >= 80)
