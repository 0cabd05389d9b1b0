"""Every file of a store is under its manifest: removed, cut or flipped, it is found, and never used in silence."""

from __future__ import annotations

import io
import random
import shutil
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from made_bars import made_store
from openbell.actions import ActionStore
from openbell.actions.table import ACTION_SCHEMA
from openbell.errors import OpenbellError
from openbell.maintenance.repair import repair
from openbell.maintenance.verify import verify
from openbell.store.checksum import BLANK_CHECKSUM, with_own_checksum
from openbell.store.label import read_label, write_label
from openbell.store.store import BarStore
from openbell.vendors.unavailable_sessions import UnavailableSessions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ACTIONS = [("A", date(2024, 6, 10), "split", 2.0, None, None)]
DAILY, MINUTES = "bars/interval=1d/symbol=A/all.parquet", "bars/interval=1m/symbol=A/2024-05.parquet"
LATER_MINUTES = "bars/interval=1m/symbol=A/2024-06.parquet"
OTHERS = ("manifest.parquet", "openbell-store.json", DAILY, MINUTES)
SIDE_FILES = ("actions/actions.parquet", "fetched/unavailable.parquet", "LABEL.txt")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with all that a store may have: bars, built ones among them, actions, a label, and a fetch's memory."""
    path = tmp_path_factory.mktemp("whole") / "store"
    made_store(path, ["A"], "2024-05-29", "2024-06-04", intervals=["1m", "1d"])
    (path / "bars/interval=1d/symbol=A/all.parquet").unlink()
    repair(path)
    ActionStore(path).write(pl.DataFrame(ACTIONS, schema=ACTION_SCHEMA, orient="row"))
    write_label(path, "SYNTHETIC DATA\n")
    UnavailableSessions(path).remember("alpaca", "1m", none=[("A", date(2024, 1, 2))], some=[], today=date(2024, 6, 4))
    assert verify(path).damages == ()
    return path


@pytest.fixture
def store(whole: Path, tmp_path: Path) -> Path:
    return shutil.copytree(whole, tmp_path / "store")


def content(path: Path) -> dict[str, Any]:
    """All that a run or a command reads of a store."""
    store = BarStore.open(path)
    return {
        "coverage": store.coverage(),
        **{interval: store.read(["A"], interval, None, None).rows() for interval in ("1m", "1d")},
        "built": store.built("A", "1d").rows(),
        "actions": ActionStore(path).read().rows(),
        "label": read_label(path),
        "unavailable": UnavailableSessions(path).sessions("alpaca", "1m"),
    }


def remove(path: Path) -> None:
    path.unlink()


def empty(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    changed = bytearray(path.read_bytes())
    changed[random.Random(path.name).randrange(len(changed))] ^= 1 << random.Random(str(path)).randrange(8)
    path.write_bytes(changed)


def grow(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


DAMAGES = (remove, empty, cut, halve, flip, grow)


def files_of(store: Path) -> list[str]:
    return sorted(str(p.relative_to(store)) for p in store.rglob("*") if p.is_file() and p.name != ".lock")


def is_found_and_not_used_in_silence(store: Path, whole: Path) -> None:
    assert verify(store).damages != ()
    try:
        now = content(store)
    except OpenbellError as error:
        now = {"error": str(error)}
    assert "openbell data" in now["error"] if "error" in now else now == content(whole)


def test_the_store_has_a_file_of_every_kind(whole: Path) -> None:
    names = {"manifest.parquet", "openbell-store.json", "bars/interval=1d/symbol=A/all.parquet", *SIDE_FILES}
    months = {f"bars/interval=1m/symbol=A/2024-0{month}.parquet" for month in (5, 6)}

    assert {name for name in files_of(whole) if not name.startswith("quarantine/")} == names | months


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", [*SIDE_FILES, *OTHERS, pytest.param(LATER_MINUTES, marks=pytest.mark.long)])
def test_a_damage_is_found_and_never_used_in_silence_and_can_be_repaired(
    store: Path, whole: Path, name: str, damage: Callable[[Path], None]
) -> None:
    damage(store / name)
    is_found_and_not_used_in_silence(store, whole)
    repaired = repair(store)

    assert repaired.repairs
    assert verify(store).damages == ()
    assert repair(store).repairs == ()
    if not repaired.lost and name != "fetched/unavailable.parquet":
        assert content(store) == content(whole)


@pytest.mark.parametrize("folder", ["actions", "fetched", "bars", "bars/interval=1m/symbol=A"])
def test_a_folder_that_is_gone_is_found(store: Path, whole: Path, folder: str) -> None:
    shutil.rmtree(store / folder)
    is_found_and_not_used_in_silence(store, whole)
    repair(store)

    assert verify(store).damages == ()


@pytest.mark.parametrize("name", SIDE_FILES)
def test_a_file_of_another_store_is_found(store: Path, tmp_path: Path, name: str) -> None:
    other = made_store(tmp_path / "other", ["B"], "2024-06-03", "2024-06-04")
    ActionStore(other).write(
        pl.DataFrame([("B", date(2024, 6, 10), "split", 3.0, None, None)], schema=ACTION_SCHEMA, orient="row")
    )
    UnavailableSessions(other).remember("alpaca", "1m", none=[("B", date(2024, 1, 3))], some=[], today=date(2024, 6, 4))
    write_label(other, "OTHER DATA\n")
    shutil.copy(other / name, store / name)

    assert [damage.path for damage in verify(store).damages] == [store / name]
    repair(store)
    assert verify(store).damages == ()


def test_a_store_of_before_all_files_were_in_the_manifest_is_as_good(store: Path, whole: Path) -> None:
    expected = content(whole)
    path = store / "manifest.parquet"
    unlisted = pl.read_parquet(path)
    write_without_side_files(path, unlisted)

    assert verify(store).damages == ()
    assert content(store) == expected
    write_label(store, "SYNTHETIC DATA\n")
    (store / "actions/actions.parquet").unlink()
    assert [damage.kind for damage in verify(store).damages] == ["actions"]


def write_without_side_files(path: Path, rows: pl.DataFrame) -> None:
    buffer = io.BytesIO()
    rows.write_parquet(buffer, metadata=BLANK_CHECKSUM)
    path.write_bytes(with_own_checksum(buffer.getvalue()))


def test_bars_are_not_merged_into_a_file_that_the_manifest_does_not_know(store: Path) -> None:
    minute = BarStore.open(store).read(["A"], "1m", date(2024, 6, 3), None).drop("symbol")
    shutil.copytree(store / "bars/interval=1m/symbol=A", store / "bars/interval=1m/symbol=B")

    with pytest.raises(OpenbellError, match="the manifest does not know it"):
        BarStore.open(store).write("B", "1m", minute)


def test_bars_do_not_take_the_place_of_a_lost_file_that_had_more(store: Path) -> None:
    opened = BarStore.open(store)
    june = opened.read(["A"], "1m", date(2024, 6, 1), None).drop("symbol")
    (store / "bars/interval=1m/symbol=A/2024-06.parquet").unlink()

    with pytest.raises(OpenbellError, match="it is missing"):
        opened.write("A", "1m", june.head(-1))
    assert opened.write("A", "1m", june).added == june.height
    assert verify(store).damages == ()


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2))
def test_any_damage_anywhere_is_found_and_never_used_in_silence(whole: Path, tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    names = [name for name in files_of(whole) if not name.startswith("quarantine/")]
    for n in range(120):
        store = shutil.copytree(whole, tmp_path / str(n))
        path = store / dice.choice(names)
        before = path.read_bytes()
        place = dice.randrange(len(before))
        flipped = bytes([before[place] ^ (1 << dice.randrange(8))])
        path.write_bytes(
            dice.choice([before[:place], before[:place] + flipped + before[place + 1 :], before[place + 1 :]])
        )
        is_found_and_not_used_in_silence(store, whole)
        repair(store)
        assert verify(store).damages == (), (path, place)
        shutil.rmtree(store)
