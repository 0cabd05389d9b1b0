"""A write to a large store leaves its manifest as it is, and notes beside it what has changed since."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from how_many import examples
from openbell.errors import DamagedFileError
from openbell.maintenance.repair import repair
from openbell.maintenance.verify import verify
from openbell.store import atomic_files, commit
from openbell.store.layout import BAR_SCHEMA, CHANGES, MANIFEST, Partition
from openbell.store.manifest import Manifest
from openbell.store.store import BarStore
from openbell.testing import random_bars

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import polars as pl

MOST = 3


@pytest.fixture(autouse=True)
def every_store_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit, "FEWEST_FILES", 0)
    monkeypatch.setattr(commit, "MOST_CHANGES", MOST)


def bars(*days: int) -> pl.DataFrame:
    return random_bars(np.array([day * 86_400 * 10**9 for day in days])).cast(dict(BAR_SCHEMA))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store with a manifest and no changes since."""
    BarStore.open_or_create(tmp_path / "store").write("A", "1d", bars(16_000))
    return tmp_path / "store"


def test_a_write_leaves_the_manifest_and_others_see_it(folder: Path) -> None:
    reader, manifest = BarStore.open(folder), (folder / MANIFEST).read_bytes()
    assert reader.symbols() == ("A",)

    BarStore.open(folder).write("B", "1d", bars(16_001, 16_002))
    BarStore.open(folder).write("A", "1d", bars(16_001))

    assert (folder / MANIFEST).read_bytes() == manifest
    assert reader.symbols() == ("A", "B")
    assert reader.read(["A", "B"], "1d", None, None).height == 4
    assert BarStore.open(folder).manifest == reader.manifest == Manifest.scan(folder)


def test_so_many_changes_are_put_into_a_new_manifest(folder: Path) -> None:
    manifests = []
    for number in range(MOST + 1):
        BarStore.open(folder).write(f"S{number}", "1d", bars(16_000))
        manifests.append((folder / MANIFEST).read_bytes())

    assert manifests[0] == manifests[MOST - 1] != manifests[MOST]
    assert json.loads((folder / CHANGES).read_bytes().splitlines()[0])["bars"] == []
    assert BarStore.open(folder).symbols() == ("A", "S0", "S1", "S2", "S3")
    assert verify(folder).damages == ()


def test_an_older_openbell_is_told_that_it_cannot_read_it(folder: Path) -> None:
    assert json.loads((folder / "openbell-store.json").read_text())["schema_version"] == 2


@pytest.mark.parametrize("damage", ["lost", "cut", "flipped", "of another manifest", "empty"])
def test_a_damaged_file_of_changes_is_found_never_used_and_mended(folder: Path, damage: str) -> None:
    stale = (folder / CHANGES).read_bytes()
    for number in range(MOST + 1 if damage == "of another manifest" else 1):
        BarStore.open(folder).write(f"S{number}", "1d", bars(16_000))
    BarStore.open(folder).write("A", "1d", bars(16_005))
    path, before = folder / CHANGES, Manifest.scan(folder)
    content = path.read_bytes()
    if damage == "lost":
        path.unlink()
    else:
        flipped = bytes([content[0] ^ 4]) + content[1:]
        path.write_bytes({"cut": content[:-7], "flipped": flipped, "empty": b""}.get(damage, stale))

    with pytest.raises(DamagedFileError, match=r"manifest-changes\.json is damaged .*data repair"):
        BarStore.open(folder).read(["A"], "1d", None, None)
    with pytest.raises(DamagedFileError, match=r"manifest-changes\.json"):
        BarStore.open(folder).write("C", "1d", bars(16_000))
    assert [(found.kind, found.path) for found in verify(folder).damages] == [("manifest", path)]

    repair(folder)

    assert verify(folder).damages == ()
    assert BarStore.open(folder).manifest == before
    assert BarStore.open(folder).read(["A"], "1d", date(2013, 1, 1), None).height == 2


def test_a_lost_manifest_is_made_again_with_the_changes(folder: Path) -> None:
    BarStore.open(folder).write("B", "1d", bars(16_000))
    (folder / MANIFEST).unlink()

    repair(folder)

    assert BarStore.open(folder).symbols() == ("A", "B")
    assert verify(folder).damages == ()


@pytest.mark.parametrize("mend", [repair, lambda folder: BarStore.open(folder).write("C", "1d", bars(16_000))])
def test_while_lost_lists_are_made_again_any_moment_is_a_whole_store(
    folder: Path, mend: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    BarStore.open(folder).write("B", "1d", bars(16_000))
    for name in (MANIFEST, CHANGES):
        (folder / name).unlink()
    seen, replace = [], atomic_files.os.replace

    def replaced(source: Path, target: Path) -> None:
        replace(source, target)
        if target in (folder / MANIFEST, folder / CHANGES):
            seen.append(Manifest.load(folder).symbols[:2])

    monkeypatch.setattr(atomic_files.os, "replace", replaced)
    mend(folder)

    assert seen
    assert set(seen) == {("A", "B")}


WRITES = st.lists(
    st.tuples(st.sampled_from(["A", "B", "C/D"]), st.sampled_from(["1d", "1m"]), st.integers(15_990, 16_070)),
    min_size=1,
    max_size=4,
)


@settings(max_examples=examples(10), deadline=None)
@given(batches=st.lists(st.tuples(WRITES, st.booleans()), min_size=1, max_size=4))
def test_after_any_writes_and_removals_it_knows_the_files_that_are_there(
    tmp_path_factory: pytest.TempPathFactory, batches: list[tuple[list[tuple[str, str, int]], bool]]
) -> None:
    folder = tmp_path_factory.mktemp("large") / "store"
    reader = None
    for writes, removes in batches:
        with BarStore.open_or_create(folder).writer() as writer:
            for symbol, interval, day in writes:
                writer.write(symbol, interval, bars(day))
            writer.flush()
            if removes:
                gone = next(writer.manifest.partitions())[0]
                writer.replace({Partition(gone.interval, gone.symbol, gone.month): None})
        reader = reader or BarStore.open(folder)

        assert reader.manifest == BarStore.open(folder).manifest == Manifest.scan(folder)
        assert list(reader.manifest.files) == list(Manifest.scan(folder).files)
        assert verify(folder).damages == ()
