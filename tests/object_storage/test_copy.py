"""A copy of a store brings what the target lacks, to the byte, and goes on where it was stopped."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from typer.testing import CliRunner

from object_bars import bars, on_another_machine, read
from openbell.actions import ActionStore
from openbell.actions.table import ACTION_SCHEMA
from openbell.cli.app import app
from openbell.errors import DamagedFileError
from openbell.maintenance.copy import copy_store
from openbell.maintenance.objects import verify_objects
from openbell.maintenance.verify import verify
from openbell.store.day_zones import read_day_zones
from openbell.store.label import read_label, write_label
from openbell.store.store import BarStore
from openbell.testing import bar_starts, random_bars

if TYPE_CHECKING:
    from pathlib import Path

    from faulty_proxy import FaultyProxy
    from openbell.model.address import StoreAddress
    from openbell.store.manifest import Manifest


def call(*words: object) -> Any:
    """The outcome of a data command, which raised nothing."""
    result = CliRunner().invoke(app, ["data", *map(str, words)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def contents(manifest: Manifest) -> dict[object, tuple[object, ...]]:
    return {partition: entry[:-1] for partition, entry in manifest.partitions()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store with all that a store may hold."""
    store = BarStore.open_or_create(tmp_path / "folder")
    with store.writer() as writer:
        for symbol in "ABC":
            writer.write(symbol, "1m", bars(1))
        days = random_bars(bar_starts("2024-05-01", "2024-05-31", "1d"), seed=1)
        writer.write("A", "1d", days, days="Europe/Paris")
    split = pl.DataFrame([("A", date(2013, 11, 1), "split", 2.0, None, None)], ACTION_SCHEMA, orient="row")
    ActionStore(store.path).write(split)
    write_label(tmp_path / "folder", "SYNTHETIC\n")
    return tmp_path / "folder"


def test_there_and_back_again_is_the_same_store(folder: Path, address: StoreAddress, tmp_path: Path) -> None:
    result = call("cp", folder, address, "--json")
    assert json.loads(result.stdout)["copied"] == 7
    result = call("cp", address, tmp_path / "back")
    assert "7 data files of" in result.stdout
    stores = [BarStore.open(place) for place in (folder, address, tmp_path / "back")]
    assert contents(stores[0].manifest) == contents(stores[1].manifest) == contents(stores[2].manifest)
    for place, store in zip((folder, address, tmp_path / "back"), stores, strict=True):
        assert read_label(place) == "SYNTHETIC"
        assert ActionStore(place).read().height == 1
        assert read_day_zones(place, store.manifest) == {"A": "Europe/Paris"}
    assert verify_objects(address).damages == verify(tmp_path / "back").damages == ()
    assert "has all 7 data files" in call("cp", folder, address).stdout


def test_what_is_there_is_not_read_again(folder: Path, address: StoreAddress, proxy: FaultyProxy) -> None:
    copy_store(folder, address, symbols=["A"])
    proxy.requests.clear()
    report = copy_store(folder, address)
    assert (report.copied, report.unchanged, report.merged) == (4, 3, 0)
    assert not any("symbol%3DA" in line or "symbol=A" in line for line in proxy.requests)


def test_bars_of_both_are_merged_and_those_of_the_target_stay(folder: Path, address: StoreAddress) -> None:
    BarStore.open_or_create(address).write("A", "1m", bars(9, 120))
    report = copy_store(folder, address)
    assert (report.merged, report.rows.revised) == (2, 60)
    assert read(BarStore.open(address), "A")["close"].to_list() == [1.0] * 60 + [9.0] * 60


def test_a_copy_that_is_cut_goes_on_behind_what_is_stored(
    folder: Path, address: StoreAddress, proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openbell.maintenance.copy._MOST_FILES", 2)

    class StopError(Exception):
        pass

    def stop(done: int, _: int) -> None:
        if done == 4:
            raise StopError

    with pytest.raises(StopError):
        copy_store(folder, address, advanced=stop)
    report = copy_store(folder, address)
    assert (report.copied, report.unchanged) == (3, 4)
    assert contents(BarStore.open(address).manifest) == contents(BarStore.open(folder).manifest)


def test_a_damaged_file_of_the_source_is_not_copied(folder: Path, address: StoreAddress) -> None:
    (folder / "bars/interval=1m/symbol=B/2013-10.parquet").write_bytes(b"nonsense")
    with pytest.raises(DamagedFileError, match="symbol=B"):
        copy_store(folder, address)
    result = call("cp", folder, address)
    assert result.exit_code == 1
    assert "data repair --store" in result.stderr


def test_a_writer_who_brings_the_same_file_meanwhile_loses_no_bar(
    folder: Path, address: StoreAddress, proxy: FaultyProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    BarStore.open_or_create(address).write("Z", "1m", bars(1))
    other = on_another_machine(monkeypatch, tmp_path / "two", address)
    with ThreadPoolExecutor(1) as pool, proxy.holding_the_first("PUT", "manifest") as is_held:
        copying = pool.submit(copy_store, folder, address)
        assert is_held.wait(30)
        other.write("A", "1m", bars(5, 30, hour=10))
    copying.result()
    assert read(BarStore.open(address), "A")["close"].to_list() == [5.0] * 30 + [1.0] * 60


def test_a_store_is_not_copied_onto_itself(folder: Path) -> None:
    result = call("cp", folder, folder)
    assert result.exit_code == 2
    assert "Name two stores" in result.stderr


def test_a_copy_of_what_the_source_does_not_have_is_refused(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    BarStore.open_or_create(source).write("SPY", "1h", bars(4))

    assert "unknown symbol 'SPYY'. Did you mean 'SPY'?" in call("cp", source, target, "--symbol", "SPYY").stderr
    assert not target.exists()
    call("cp", source, target, "--interval", "1h")
    assert BarStore.open(target).intervals("SPY") == ("60m",)
