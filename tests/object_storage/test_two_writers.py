"""Writers of the same address on several machines lose no bar of each other, whatever the network does."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from faulty_proxy import Fault
from object_bars import bars, on_another_machine, read
from openbell.errors import OpenbellError, StoreError
from openbell.maintenance.objects import repair_objects, verify_objects
from openbell.store.objects.backing import object_backing
from openbell.store.objects.leftovers import unlisted
from openbell.store.removal import remove_bars
from openbell.store.store import BarStore

if TYPE_CHECKING:
    from pathlib import Path

    from faulty_proxy import FaultyProxy
    from openbell.model.address import StoreAddress


def test_two_who_write_to_the_same_file_at_once_both_have_their_bars(
    address: StoreAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = BarStore.open_or_create(address)
    two = on_another_machine(monkeypatch, tmp_path / "two", address)
    with one.writer() as first, two.writer() as second:
        # Each stands on an empty store.
        first.write("SPY", "1m", bars(1, 60, hour=10))
        second.write("SPY", "1m", bars(2, 60, hour=11))
        second.write("IBM", "1m", bars(2, 60, hour=11))
        second.flush()
        first.write("SPY", "1m", bars(3, 30, hour=11))
    expected = [*[1.0] * 60, *[3.0] * 30, *[2.0] * 30]
    for store in (one, BarStore.open(address), on_another_machine(monkeypatch, tmp_path / "two", address)):
        assert read(store)["close"].to_list() == expected
        assert read(store, "IBM").height == 60
    assert verify_objects(address).damages == ()
    assert unlisted(object_backing(address)) == {}


def test_two_who_make_the_store_at_once_make_one(
    address: StoreAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = BarStore.open_or_create(address)
    two = on_another_machine(monkeypatch, tmp_path / "two", address)
    with one.writer() as first, two.writer() as second:
        first.write("SPY", "1m", bars(1))
        second.write("IBM", "1m", bars(2))
    assert BarStore.open(address).symbols() == ("IBM", "SPY")


def test_a_writer_whose_file_another_one_replaces_goes_on_from_that(
    address: StoreAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = BarStore.open_or_create(address)
    one.write("SPY", "1m", bars(1, 20, hour=10))
    two = on_another_machine(monkeypatch, tmp_path / "two", address)
    with two.writer() as writer:
        # What it is to be merged with is gone from where its manifest says that it is, and it has no copy.
        one.write("SPY", "1m", bars(2, 20, hour=11))
        writer.write("SPY", "1m", bars(3, 20, hour=12))
    assert read(BarStore.open(address))["close"].to_list() == [*[1.0] * 20, *[2.0] * 20, *[3.0] * 20]


def test_a_removal_that_meets_a_writer_removes_nothing_and_says_so(
    address: StoreAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = BarStore.open_or_create(address)
    one.write("SPY", "1m", bars(1, 60, hour=10))
    two = on_another_machine(monkeypatch, tmp_path / "two", address)
    with pytest.raises(StoreError, match="has changed the bars of SPY 1m"), two.writer() as writer:  # noqa: PT012
        writer.replace({p: None for p, _ in two.manifest.partitions()})
        one.write("SPY", "1m", bars(2, 60, hour=12))
    assert read(BarStore.open(address)).height == 120
    assert remove_bars(two, [("SPY", "1m")])[0].rows == 120


def test_many_threads_on_two_machines_lose_nothing(
    address: StoreAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proxy: FaultyProxy
) -> None:
    stores = [BarStore.open_or_create(address), on_another_machine(monkeypatch, tmp_path / "two", address)]
    chance = random.Random(7)
    proxy.choose = lambda method, path: Fault(delay_s=chance.uniform(0, 0.01))
    failures: list[OpenbellError] = []

    def write(number: int, store: BarStore) -> None:
        try:
            for hour in range(number, 8, 2):
                store.write("SPY", "1m", bars(hour + 1, 20, hour=hour))
        except OpenbellError as exc:
            failures.append(exc)

    threads = [threading.Thread(target=write, args=pair) for pair in enumerate(stores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert read(BarStore.open(address))["close"].to_list() == [float(h + 1) for h in range(8) for _ in range(20)]
    assert verify_objects(address).damages == ()


@pytest.mark.parametrize(
    "kind", ["cut after", *(pytest.param(kind, marks=pytest.mark.long) for kind in ("cut before", "busy"))]
)
def test_a_commit_whose_answer_is_lost_is_stored_once(address: StoreAddress, proxy: FaultyProxy, kind: str) -> None:
    store = BarStore.open_or_create(address)
    store.write("SPY", "1m", bars(1))
    left = [2]

    def choose(method: str, path: str) -> Fault:
        if method == "PUT" and "manifest" in path and left[0]:
            left[0] -= 1
            return Fault(kind)
        return Fault()

    proxy.choose = choose
    report = store.write("SPY", "1m", bars(2))
    assert (report.revised, left[0]) == (60, 0)
    assert read(BarStore.open(address)).equals(bars(2))
    assert verify_objects(address).damages == ()


@pytest.mark.long
def test_reads_go_through_a_bad_network(
    address: StoreAddress, proxy: FaultyProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    BarStore.open_or_create(address).write("SPY", "1m", bars(1))
    chance, kinds = random.Random(3), ("", "", "busy", "cut before", "cut within", "slow")
    proxy.choose = lambda method, path: Fault(chance.choice(kinds), delay_s=0.002)
    for number in range(2):
        monkeypatch.setenv("OPENBELL_CACHE", str(tmp_path / f"cache {number}"))
        assert read(BarStore.open(address)).equals(bars(1))


def test_a_sweep_of_what_is_left_takes_nothing_from_a_writer_at_work(
    address: StoreAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proxy: FaultyProxy
) -> None:
    one = BarStore.open_or_create(address)
    one.write("SPY", "1m", bars(1))
    left = "bars/interval=1m/symbol=SPY/2013-10-0123456789abcdef.parquet"
    object_backing(address).objects.put(left, b"left by a killed writer")
    two = on_another_machine(monkeypatch, tmp_path / "two", address)
    with ThreadPoolExecutor(1) as pool, proxy.holding_the_first("PUT", "manifest") as is_held:
        writing = pool.submit(two.write, "IBM", "1m", bars(2))
        assert is_held.wait(30)
        # Its objects are stored and not yet listed, and are taken for what a killed writer has left.
        swept = repair_objects(address).swept
    writing.result()
    assert swept == 3
    assert read(BarStore.open(address), "IBM").equals(bars(2))
    assert verify_objects(address).damages == ()
    assert verify_objects(address).unlisted == 0
