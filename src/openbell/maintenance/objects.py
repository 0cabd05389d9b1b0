"""Verification and repair of a store in object storage."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from openbell.errors import DamagedObjectError
from openbell.maintenance.damage import SIDE_KINDS, Damage, VerifyReport
from openbell.maintenance.repair import Repair, RepairReport
from openbell.store.backing import until_committed
from openbell.store.layout import QUARANTINE, Partition
from openbell.store.objects.backing import object_backing
from openbell.store.objects.copies import fetch_verified
from openbell.store.objects.leftovers import sweep, unlisted
from openbell.store.objects.naming import data_object, side_object

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openbell.model.address import StoreAddress
    from openbell.store.data_file import FileEntry
    from openbell.store.manifest import Manifest
    from openbell.store.objects.backing import ObjectBacking

__all__ = ["repair_objects", "verify_objects"]

_AT_ONCE = 8
_LOCK_WAIT_S = 30.0


def verify_objects(store: StoreAddress, advanced: Callable[[int, int], None] | None = None) -> VerifyReport:
    """Compare every object of a store with its checksum, read from object storage.

    Nothing is changed. Others may write to the store meanwhile.

    Args:
        store: The address of the store.
        advanced: Called with (files done, files in all).

    Raises:
        StoreError: There is no store, or object storage does not answer.
    """
    backing = object_backing(store)
    backing.require()
    manifest = backing.heal()
    found = list(_damages(backing, manifest, advanced))
    # Damages may only be objects that a writer has replaced meanwhile, so a changed manifest is checked once more.
    now = backing.heal()
    if found and now is not manifest:
        found = list(_damages(backing, now, None))
    entries = [entry for _, entry in now.partitions()]
    size = sum(entry.bytes for entry in entries)
    return VerifyReport(len(entries), size, tuple(found), len(unlisted(backing)))


def _damages(
    backing: ObjectBacking, manifest: Manifest, advanced: Callable[[int, int], None] | None
) -> Iterator[Damage]:
    for name, side in manifest.side_files.items():
        stored = side_object(name, side)
        if problem := _problem(backing, stored, side.sha256):
            yield Damage(SIDE_KINDS[name], backing.place / stored, problem)
    pairs = list(manifest.partitions())

    def problem_of(pair: tuple[Partition, FileEntry]) -> str | None:
        return _problem(backing, data_object(*pair), pair[1].sha256)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for done, (pair, problem) in enumerate(zip(pairs, pool.map(problem_of, pairs), strict=True), start=1):
            if problem:
                place = backing.place / data_object(*pair)
                yield Damage("missing" if problem == "it is missing" else "damaged", place, problem, *pair)
            if advanced is not None:
                advanced(done, len(pairs))


def _problem(backing: ObjectBacking, name: str, sha256: str) -> str | None:
    """Return why an object is not what was stored, or None."""
    try:
        fetch_verified(backing.objects, name, sha256)
    except DamagedObjectError as exc:
        return exc.cause
    return None


def repair_objects(store: StoreAddress) -> RepairReport:
    """Move damaged objects of a store into its quarantine, and delete those left by killed writers.

    Unlike `repair`, nothing is built from finer bars: import again, or copy the store into a folder and repair it
    there.

    Raises:
        StoreError: There is no store, object storage does not answer, or writing is not allowed.
    """
    backing = object_backing(store)
    with backing.lock(_LOCK_WAIT_S):
        damages = verify_objects(store).damages
        repairs = [_set_aside(backing, damage) for damage in damages]

        def take_out() -> None:
            manifest = backing.heal()
            bars = {d.partition: None for d in damages if d.partition and manifest.entry(d.partition) == d.entry}
            listed = {str(store / side_object(n, e)): n for n, e in manifest.side_files.items()}
            sides = {listed[str(d.path)]: None for d in damages if not d.partition and str(d.path) in listed}
            if bars or sides:
                backing.commit(manifest, bars, sides)

        until_committed(take_out)
        swept = sweep(backing)
    return RepairReport(tuple(repairs), swept)


def _set_aside(backing: ObjectBacking, damage: Damage) -> Repair:
    """Copy a damaged object into the quarantine, and return its repair."""
    # The object itself is deleted by the commit that removes it from the manifest.
    name = str(damage.path).removeprefix(f"{backing.place}/")
    found, moved_to = backing.objects.get(name), None
    if found is not None:
        target = f"{QUARANTINE}/damaged/{name.replace('/', '-')}"
        backing.objects.put(target, found.content)
        moved_to = backing.place / target
    rows = damage.entry.rows if damage.entry else None
    what = {"fetched": "the next fetch requests these sessions again", "actions": "import the corporate actions again"}
    return Repair(damage, "lost", what.get(damage.kind, "import its data again"), rows, moved_to)
