"""Repair of a store, as far as it can be mended, with a report of what was lost."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from openbell.errors import DamagedFileError, StoreError
from openbell.maintenance.damage import NOT_KNOWN, Damage, find_damages
from openbell.maintenance.rebuild import rebuilt
from openbell.maintenance.salvage import file_problem, good_entry
from openbell.maintenance.verify import LOCK_WAIT_S
from openbell.market_data.gap_filling import FINER
from openbell.store import layout
from openbell.store.atomic_files import move_file, replace_file, sync_folders, writer_lock
from openbell.store.batch import UnfinishedWriteError
from openbell.store.checksum import has_own_checksum
from openbell.store.commit import commit_manifest, give_up, heal
from openbell.store.data_file import FileEntry, data_files, is_data_file, reading_problem
from openbell.store.folder import FolderBacking
from openbell.store.layout import LABEL, MANIFEST, PENDING, QUARANTINE, Partition
from openbell.store.manifest import Manifest
from openbell.store.side_files import SideEntry, side_entry
from openbell.store.store import BarStore
from openbell.store.store_marker import require_traces, store_marker_problem, write_store_marker
from openbell.store.writer import StoreWriter
from openbell.timing.time_manager import TimeManager

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from openbell.config.exchange import ExchangeConfig
    from openbell.model.address import Place

__all__ = ["Repair", "RepairReport", "repair"]

_LONGEST_NAME, _LONGEST_SUFFIX = 200, 20

Outcome = Literal["rebuilt", "partly rebuilt", "adopted", "set aside", "lost", "left"]


@dataclass(frozen=True, slots=True)
class Repair:
    """The outcome for one damage.

    Attributes:
        damage: What was wrong.
        outcome: "rebuilt"; "partly rebuilt" and "lost": some or all of the bars must be imported again; "adopted": the
            file holds good bars and belongs to the store now; "set aside": it was no part of the store; "left": it
            cannot be read, and may be as it was stored.
        text: The same for people.
        rows_lost: Number of bars to import again; None when nobody knows how many they were.
        moved_to: Where the damaged file is now; None when there is none.
    """

    damage: Damage
    outcome: Outcome
    text: str
    rows_lost: int | None = 0
    moved_to: Place | None = None


@dataclass(frozen=True, slots=True)
class RepairReport:
    """The outcome of a repair.

    Without repairs, the store was as it should be.

    Attributes:
        repairs: What was done.
        swept: In object storage, how many objects that the manifest did not list are deleted.
    """

    repairs: tuple[Repair, ...]
    swept: int = 0

    @property
    def lost(self) -> tuple[Repair, ...]:
        """Repairs after which data must be imported again."""
        return tuple(r for r in self.repairs if r.outcome in ("lost", "partly rebuilt"))

    @property
    def left(self) -> tuple[Repair, ...]:
        """Files that were left as they are, because they cannot be read."""
        return tuple(r for r in self.repairs if r.outcome == "left")


def repair(store: Path, *, exchange: str | ExchangeConfig = "XNYS") -> RepairReport:
    """Make a store whole again.

    What cannot be read or trusted is moved into its quarantine.

    - The store marker and the manifest are made again; the manifest from the data files, of which only those that hold
      good bars are taken.
    - Daily bars are built from the minutes of the sessions in which every minute of regular hours is there, and minutes
      from seconds likewise. They are marked as built (`BarStore.built`), until a vendor's bar takes their place.
    - A file that the manifest does not know is taken in when it holds good bars of its place.
    - A file that the system does not let this user read is left as it is.

    May be killed and begun again. After it, the store has no other damage; doing it twice is the same as doing it once.

    Args:
        store: The store's folder.
        exchange: The calendar that says which minutes a session has.

    Raises:
        StoreError: The folder is not a store, another process is writing, the disk is full, or one of the files that
            all depends on may not be read.
    """
    require_traces(store)
    for name in (layout.STORE_MARKER, MANIFEST, layout.CHANGES, PENDING):
        if why := reading_problem(store / name):
            raise StoreError(
                f"the store {store} cannot be repaired: {store / name} cannot be read ({why}). It may be as it was "
                "stored: let this user read it, or mend the disk. Nothing was changed."
            )
    time_manager = TimeManager(exchange)
    with writer_lock(store / layout.LOCK, wait_s=LOCK_WAIT_S):
        try:
            return RepairReport((*_mend_frame(store), *_Repairer(store, time_manager).mend()))
        except OSError as exc:
            raise StoreError(
                f"the store {store} cannot be repaired: {exc.strerror or exc} ({exc.filename}). Mend that, and repair "
                "it again: it goes on from there."
            ) from exc


def _mend_frame(store: Path) -> Iterator[Repair]:
    """Make the store marker and the manifest again, and finish a killed write or give it up."""
    reason = store_marker_problem(store)
    for name in (layout.STORE_MARKER, MANIFEST, layout.CHANGES, PENDING):
        if (store / name).is_dir():
            _to_quarantine(store, store / name)
    if reason:
        write_store_marker(store)
        yield Repair(Damage("marker", store / layout.STORE_MARKER, reason), "rebuilt", "written again")
    try:
        with suppress(UnfinishedWriteError):
            heal(store)
        reason, path = None, store / MANIFEST
        if data_files(store) and not path.exists():
            reason = "it is missing"
    except DamagedFileError as exc:
        reason, path = exc.cause, exc.path
    if reason:
        count = _remake_manifest(store)
        text = f"made again from the {count:,} data files that are there"
        yield Repair(Damage("manifest", path, reason), "rebuilt", text)
    try:
        manifest = heal(store)
        if not (store / MANIFEST).exists():
            commit_manifest(store, manifest)
    except UnfinishedWriteError as exc:
        missing = give_up(store)
        what = f"{missing:,} of its files are not in the store" if missing else "the import was killed"
        yield Repair(Damage("note", store / PENDING, str(exc)), "set aside", f"deleted: {what}; import again")


def _remake_manifest(store: Path) -> int:
    """Make the manifest from the data files, and return how many there are."""
    manifest = commit_manifest(store, Manifest.scan(store))
    suspects = {p: e for p, e in manifest.partitions() if e.rows and file_problem(store, p)}
    # A checksum that fits nothing makes each of them a damaged file.
    doubtful = {p: e._replace(sha256="") for p, e in suspects.items()}
    manifest = commit_manifest(store, manifest.with_changes(doubtful))
    return sum(len(entries) for entries in manifest.files.values())


class _Repairer:
    """Mends the damages of a store whose manifest can be read.

    The writer's lock is held meanwhile.
    """

    def __init__(self, store: Path, time_manager: TimeManager) -> None:
        self._store = store
        self._time_manager = time_manager
        self._changes: dict[Partition, FileEntry | None] = {}
        self._side_changes: dict[str, SideEntry | None] = {}
        self._lost: list[Repair] = []

    def mend(self) -> list[Repair]:
        """Mend what can be mended.

        The manifest is committed when it returns.
        """
        done = [each for damage in find_damages(self._store, None).damages for each in self._mended(damage)]
        # What may be rebuilt stays known until it is: a repair that is killed before that can be begun again.
        hoped = {p for p, entry in self._changes.items() if entry is None and p.interval in FINER}
        known = {p: entry for p, entry in self._changes.items() if p not in hoped}
        manifest = Manifest.load(self._store).with_changes(known, self._side_changes)
        if known or self._side_changes:
            commit_manifest(self._store, manifest)
        done += [each for each in self._lost if _partition(each.damage) not in hoped]
        # Minutes first: days are built of them.
        for interval in ("1m", "1d"):
            lost = [
                e for e in self._lost if _partition(e.damage) in hoped and _partition(e.damage).interval == interval
            ]
            if lost:
                built, manifest = self._rebuilt(lost, manifest)
                done += built
        return done

    def _mended(self, damage: Damage) -> list[Repair]:
        """Mend one damage.

        A data file that is lost is noted, and reported when it is known what can be rebuilt.
        """
        if damage.kind == "unreadable":
            text = (
                f"{damage.reason}: let this user read it, or mend the disk; if it is lost, delete it and repair again"
            )
            return [Repair(damage, "left", text)]
        if damage.kind == "damaged" and (entry := self._entry_if_good(damage)):
            self._changes[_partition(damage)] = entry
            return [Repair(damage, "rebuilt", f"its {entry.rows:,} bars are good")]
        if damage.kind in ("damaged", "missing"):
            self._changes[_partition(damage)] = None
            self._lost.append(self._given_up(damage))
            return []
        if damage.kind == "unknown":
            return [self._adopted_or_set_aside(damage)]
        return [self._mended_side_file(damage)]

    def _mended_side_file(self, damage: Damage) -> Repair:
        name = damage.file.relative_to(self._store).as_posix()
        known = Manifest.load(self._store).side_files.get(name)
        if damage.reason == NOT_KNOWN and damage.file.is_file():
            content = damage.file.read_bytes()
            if name == LABEL or has_own_checksum(content):
                self._side_changes[name] = side_entry(name, content)
                return Repair(damage, "adopted", "it belongs to the store now")
        moved_to = _to_quarantine(self._store, damage.file) if damage.file.exists() else None
        if known is not None and known.text is not None:
            replace_file(damage.file, known.text.encode())
            return Repair(damage, "rebuilt", "written again", moved_to=moved_to)
        self._side_changes[name] = None
        if damage.kind == "fetched":
            text = "the next fetch asks again and remembers anew"
            return Repair(damage, "set aside", text, moved_to=moved_to)
        again = "daily bars of days that are not sessions" if damage.kind == "days" else "corporate actions"
        return Repair(damage, "lost", f"import the {again} again", None, moved_to)

    def _entry_if_good(self, damage: Damage) -> FileEntry | None:
        """Return the entry of good bars in a file whose content the manifest never knew."""
        if damage.entry is None or damage.entry.sha256:
            return None
        return good_entry(self._store, _partition(damage))

    def _given_up(self, damage: Damage) -> Repair:
        """Take a data file that is not what was stored out of the store."""
        rows = damage.entry.rows or None if damage.entry is not None else None
        moved_to = None if damage.kind == "missing" else _to_quarantine(self._store, damage.file)
        return Repair(damage, "lost", "import its data again", rows, moved_to)

    def _adopted_or_set_aside(self, damage: Damage) -> Repair:
        if is_data_file(self._store, damage.file):
            partition = layout.partition_of(damage.file)
            if entry := good_entry(self._store, partition):
                self._changes[partition] = entry
                known = Damage("unknown", damage.file, damage.reason, partition, entry)
                return Repair(known, "adopted", f"its {entry.rows:,} bars belong to the store now")
        moved_to = _to_quarantine(self._store, damage.file)
        return Repair(damage, "set aside", "it does not hold good bars of its place", moved_to=moved_to)

    def _rebuilt(self, lost: list[Repair], manifest: Manifest) -> tuple[list[Repair], Manifest]:
        """Build lost files of one interval from finer bars, where these are complete."""
        writer = StoreWriter(
            FolderBacking(self._store), manifest.with_changes(dict.fromkeys(_partition(e.damage) for e in lost))
        )
        done = [self._rebuilt_file(each, writer) for each in lost]
        writer.flush()
        return done, commit_manifest(self._store, writer.manifest)

    def _rebuilt_file(self, given_up: Repair, writer: StoreWriter) -> Repair:
        partition, entry = _partition(given_up.damage), given_up.damage.entry
        if entry is None:
            return given_up
        bars, marks = rebuilt(BarStore(self._store), partition, entry, self._time_manager)
        if bars.is_empty():
            return given_up
        writer.write(partition.symbol, partition.interval, bars, built=marks)
        lost = None if given_up.rows_lost is None else max(0, given_up.rows_lost - bars.height)
        first, last = bars["timestamp"][0], bars["timestamp"][-1]
        what, finer = ("sessions", "minutes") if partition.interval == "1d" else ("minutes", "seconds")
        text = f"{bars.height:,} {what}, {first:%Y-%m-%d} to {last:%Y-%m-%d}, built from complete {finer} and marked so"
        if lost == 0:
            return Repair(given_up.damage, "rebuilt", text, 0, given_up.moved_to)
        return Repair(given_up.damage, "partly rebuilt", f"{text}; import the others again", lost, given_up.moved_to)


def _to_quarantine(store: Path, path: Path) -> Path:
    """Move a file to where nobody reads it.

    Its place is in its name.
    """
    folder = store / QUARANTINE / "damaged"
    folder.mkdir(parents=True, exist_ok=True)
    place = path.relative_to(store).with_suffix("").parts
    # The folders of two long names do not fit into one.
    name = "-".join(place[1:] or place)[-_LONGEST_NAME:]
    n = 1
    while (target := folder / f"{name}-{n}{path.suffix[:_LONGEST_SUFFIX]}").exists():
        n += 1
    move_file(path, target)
    sync_folders([folder, path.parent])
    return target


def _partition(damage: Damage) -> Partition:
    return damage.partition or layout.partition_of(damage.file)
