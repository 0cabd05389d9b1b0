"""A store in object storage holds, shows and refuses what one in a folder does."""

from __future__ import annotations

import shutil
from datetime import date
from typing import TYPE_CHECKING

import polars as pl
import pytest

from object_bars import bars, read
from openbell.actions import ActionStore
from openbell.actions.table import ACTION_SCHEMA
from openbell.errors import DamagedFileError, NotAStoreError
from openbell.maintenance.objects import repair_objects, verify_objects
from openbell.store.label import read_label, write_label
from openbell.store.objects.backing import object_backing
from openbell.store.objects.leftovers import unlisted
from openbell.store.objects.naming import data_object
from openbell.store.removal import remove_bars
from openbell.store.store import BarStore

if TYPE_CHECKING:
    from pathlib import Path

    from faulty_proxy import FaultyProxy
    from openbell.model.address import StoreAddress


def in_another_process(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    """Let what follows know nothing, as another machine would."""
    monkeypatch.setenv("OPENBELL_CACHE", str(cache))


def test_what_is_written_is_read_with_the_same_reports_as_in_a_folder(address: StoreAddress, tmp_path: Path) -> None:
    stores = BarStore.open_or_create(address), BarStore.open_or_create(tmp_path / "store")
    for frame in (bars(1), bars(1), bars(2, 30), bars(3, 90)):
        reports = [store.write("SPY", "1m", frame) for store in stores]
        assert reports[0] == reports[1]
        assert read(stores[0]).equals(read(stores[1]))
    assert [(c.rows, c.files, c.first) for c in stores[0].coverage()] == [
        (c.rows, c.files, c.first) for c in stores[1].coverage()
    ]
    assert str(address) in repr(stores[0])


def test_another_machine_reads_it_and_sees_what_is_written_later(
    address: StoreAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = BarStore.open_or_create(address)
    first.write("SPY", "1m", bars(1))
    in_another_process(monkeypatch, tmp_path / "another cache")
    second = BarStore.open(address)
    assert read(second).equals(bars(1))
    first.write("SPY", "1m", bars(2))
    assert read(BarStore.open(address)).equals(bars(2))
    # The objects that the other one knew are gone: it looks again by itself.
    assert read(second).equals(bars(2))


def test_a_second_run_reads_nothing_but_whether_the_manifest_is_fresh(
    address: StoreAddress, proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    BarStore.open_or_create(address).write("SPY", "1m", bars(1))
    monkeypatch.setenv("AWS_NOTHING", "1")  # a backing of its own, as in another process
    proxy.requests.clear()
    assert read(BarStore.open(address)).equals(bars(1))
    assert proxy.requests == [f"GET /{address.bucket}/{address.key}/manifest.parquet"]


def test_the_cache_stays_within_its_size_and_what_is_missing_is_read_again(
    address: StoreAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENBELL_CACHE_SIZE", "6 KB")
    store = BarStore.open_or_create(address)
    for symbol in "ABCDEF":
        store.write(symbol, "1m", bars(1, 20, hour=10))
    files = [path for path in (tmp_path / "cache" / "files").rglob("*") if path.is_file()]
    sizes = [path.stat().st_size for path in files]
    assert 0 < sum(sizes) <= 6000
    for symbol in "ABCDEF":
        assert read(store, symbol).equals(bars(1, 20, hour=10))


def test_a_damaged_copy_is_replaced_without_a_word(address: StoreAddress, tmp_path: Path) -> None:
    store = BarStore.open_or_create(address)
    store.write("SPY", "1m", bars(1))
    for path in (tmp_path / "cache" / "files").rglob("*"):
        if path.is_file():
            path.write_bytes(b"nonsense")
    assert read(store).equals(bars(1))
    assert read(store).equals(bars(1))


def test_a_damaged_object_is_named_by_its_address_and_taken_out_by_a_repair(
    address: StoreAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = BarStore.open_or_create(address)
    store.write("SPY", "1m", bars(1))
    store.write("IBM", "1m", bars(1, 20, hour=10))
    backing = object_backing(address)
    partition, entry = next(p for p in store.manifest.partitions() if p[0].symbol == "SPY")
    backing.objects.put(data_object(partition, entry), b"nonsense")
    in_another_process(monkeypatch, tmp_path / "another cache")
    with pytest.raises(
        DamagedFileError, match=f"{address}/bars/interval=1m/symbol=SPY/2013-10-.* is damaged"
    ) as raised:
        read(BarStore.open(address))
    assert f"openbell data repair --store {address}" in str(raised.value)
    (damage,) = verify_objects(address).damages
    assert (damage.kind, damage.partition) == ("damaged", partition)
    (repaired,) = repair_objects(address).lost
    assert repaired.rows_lost == 30
    assert str(repaired.moved_to).startswith(f"{address}/quarantine/damaged/")
    assert verify_objects(address).damages == ()
    assert read(BarStore.open(address)).equals(bars(1)[30:])
    assert read(BarStore.open(address), "IBM").height == 20


def test_a_missing_object_is_found(address: StoreAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = BarStore.open_or_create(address)
    store.write("SPY", "1m", bars(1, 20, hour=10))
    ((partition, entry),) = store.manifest.partitions()
    object_backing(address).objects.delete([data_object(partition, entry)])
    in_another_process(monkeypatch, tmp_path / "another cache")
    with pytest.raises(DamagedFileError, match="it is missing"):
        read(BarStore.open(address))
    assert [damage.kind for damage in verify_objects(address).damages] == ["missing"]
    # All that it held brings it back.
    BarStore.open(address).write("SPY", "1m", bars(2, 20, hour=10))
    assert read(BarStore.open(address)).equals(bars(2, 20, hour=10))
    assert verify_objects(address).damages == ()


def test_a_lost_manifest_is_no_empty_store(address: StoreAddress) -> None:
    store = BarStore.open_or_create(address)
    store.write("SPY", "1m", bars(1))
    object_backing(address).objects.delete(["manifest.parquet"])
    with pytest.raises(DamagedFileError, match=r"manifest.parquet is damaged \(it is missing\)"):
        store.write("SPY", "1m", bars(2))
    with pytest.raises(NotAStoreError, match="is not an openbell store"):
        BarStore.open(address)


def test_removal_actions_and_label_work_as_in_a_folder(address: StoreAddress) -> None:
    store = BarStore.open_or_create(address)
    store.write("SPY", "1m", bars(1))
    write_label(address, "SYNTHETIC\n")
    split = pl.DataFrame([("SPY", date(2013, 11, 1), "split", 2.0, None, None)], ACTION_SCHEMA, orient="row")
    actions = ActionStore(address)
    assert actions.version == ()
    assert actions.write(split).added == 1
    assert actions.write(split).unchanged == 1
    assert ActionStore(address).book().of("SPY")[0].value == 2.0
    assert actions.version != ()
    assert read_label(address) == "SYNTHETIC"
    (removal,) = remove_bars(store, [("SPY", "1m")], last=date(2013, 10, 31))
    assert removal.rows == 30
    assert read(store).equals(bars(1)[30:])
    assert verify_objects(address).damages == ()
    assert unlisted(object_backing(address)) == {}


def test_what_is_there_already_keeps_a_store_away(address: StoreAddress) -> None:
    object_backing(address).objects.put("report.pdf", b"something")
    with pytest.raises(NotAStoreError, match=r"not empty \(it holds report.pdf\)"):
        BarStore.open_or_create(address)
    with pytest.raises(NotAStoreError, match="is not an openbell store"):
        BarStore.open(address)


@pytest.mark.parametrize("nested", ["actions", pytest.param("two", marks=pytest.mark.long)])
def test_a_repair_leaves_a_store_below_the_same_address_alone(address: StoreAddress, nested: str) -> None:
    inner = address / nested
    BarStore.open_or_create(address).write("SPY", "1m", bars(1, 20, hour=10))
    BarStore.open_or_create(inner).write("SPY", "1m", bars(2, 20, hour=10))
    write_label(inner, "SYNTHETIC\n")
    assert verify_objects(address).unlisted == 0
    assert repair_objects(address).swept == 0
    assert verify_objects(inner).damages == ()


def test_symbols_of_any_characters_are_stored(address: StoreAddress, tmp_path: Path) -> None:
    symbols = ["BTC/USD", "BRK B", "^GSPC", "ÄÖ", "..", "~", "A%2FB", "a+b", "#1", "x=y"]
    store = BarStore.open_or_create(address)
    with store.writer() as writer:
        for number, symbol in enumerate(symbols, start=1):
            writer.write(symbol, "1m", bars(number, 5, hour=10))
    assert verify_objects(address).damages == ()
    shutil.rmtree(tmp_path / "cache")
    opened = BarStore.open(address)
    assert opened.symbols() == tuple(sorted(symbols))
    for number, symbol in enumerate(symbols, start=1):
        assert read(opened, symbol)["close"].to_list() == [float(number)] * 5
    assert unlisted(object_backing(address)) == {}


def test_no_store_comes_of_a_write_of_nothing(address: StoreAddress) -> None:
    with BarStore.open_or_create(address).writer():
        pass
    with pytest.raises(NotAStoreError):
        BarStore.open(address)


def test_a_copy_of_a_folder_is_no_store(address: StoreAddress, tmp_path: Path) -> None:
    BarStore.open_or_create(tmp_path / "store").write("SPY", "1m", bars(1))
    content = (tmp_path / "store" / "manifest.parquet").read_bytes()
    object_backing(address).objects.put("manifest.parquet", content)
    with pytest.raises(Exception, match="openbell data cp FOLDER ADDRESS"):
        BarStore.open(address)
