"""Repair of a store, with a report of the bars that must be imported again."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from openbell.errors import DamagedFileError, StoreError
from openbell.maintenance.damage import NOT_KNOWN, Damage, find_damages
from openbell.maintenance.rebuild import rebuilt
from openbell.maintenance.validation import entry_if_valid, file_problem
from openbell.maintenance.verify import LOCK_WAIT_S
from openbell.market_data.gap_filling import FINER
from openbell.store import layout
from openbell.store.atomic_files import move_file, replace_file, sync_folders, writer_lock
from openbell.store.batch import UnfinishedWriteError
from openbell.store.checksum import has_own_checksum
from openbell.store.commit import commit_manifest, discard_unfinished_write, heal
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
        damage: The damage.
        outcome: "rebuilt"; "partly rebuilt" and "lost": some or all of the bars must be imported again; "adopted": the
            file holds good bars and belongs to the store now; "set aside": the file was moved away, and nothing need be
            imported for it, except after a killed write; "left": the file cannot be read, and may be as it was stored.
        text: The outcome, as text for users.
        rows_lost: Number of bars to import again; None when unknown.
        moved_to: Where the damaged file is now; None if it was not moved.
    """

    damage: Damage
    outcome: Outcome
    text: str
    rows_lost: int | None = 0
    moved_to: Place | None = None


@dataclass(frozen=True, slots=True)
class RepairReport:
    """The outcome of a repair.

    Attributes:
        repairs: The outcome for each damage; empty if the store had none.
        swept: In object storage, the number of deleted objects that the manifest did not list.
    """

    repairs: tuple[Repair, ...]
    swept: int = 0

    @property
    def lost(self) -> tuple[Repair, ...]:
        """Repairs after which data must be imported again."""
        return tuple(r for r in self.repairs if r.outcome in ("lost", "partly rebuilt"))

    @property
    def left(self) -> tuple[Repair, ...]:
        """Repairs of files that were left as they are, because they cannot be read."""
        return tuple(r for r in self.repairs if r.outcome == "left")


def repair(store: Path, *, exchange: str | ExchangeConfig = "XNYS") -> RepairReport:
    """Repair all damages of a store.

    Files that are damaged are moved into its quarantine.

    - The store marker and the manifest are made again, the manifest from the data files that hold good bars.
    - Lost 1d bars are built from 1m bars, for sessions that have every 1m bar of regular hours; lost 1m bars are built
      from 1s bars in the same way. They are marked as built (`BarStore.built`), until a vendor's bar replaces them.
    - A file that the manifest does not list is adopted if it holds good bars of its symbol, interval and month.
    - A file that the system does not let this user read is left as it is.

    May be killed and begun again. Afterwards, the store has no other damage, and a second repair changes nothing.

    Args:
        store: The store's folder.
        exchange: The calendar that says which minutes a session has.

    Raises:
        StoreError: The folder is not a store, another process is writing, the disk is full, or the store marker, the
            manifest or one of its logs cannot be read by this user.
    """
    require_traces(store)
    for name in (layout.STORE_MARKER, MANIFEST, layout.CHANGES, PENDING):
        if why := reading_problem(store / name):
            raise StoreError(
                f"the store {store} cannot be repaired: {store / name} cannot be read ({why}). It may be as it was "
                "stored: let this user read it, or repair the disk. Nothing was changed."
            )
    time_manager = TimeManager(exchange)
    with writer_lock(store / layout.LOCK, wait_s=LOCK_WAIT_S):
        try:
            return RepairReport((*_restore_manifest(store), *_Repairer(store, time_manager).repair_all()))
        except OSError as exc:
            raise StoreError(
                f"the store {store} cannot be repaired: {exc.strerror or exc} ({exc.filename}). Correct the "
                "cause, then run the repair again; it continues."
            ) from exc


def _restore_manifest(store: Path) -> Iterator[Repair]:
    """Make a damaged store marker or manifest again, and finish or give up a killed write."""
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
        missing = discard_unfinished_write(store)
        what = f"{missing:,} of its files are not in the store" if missing else "the import was killed"
        yield Repair(Damage("note", store / PENDING, str(exc)), "set aside", f"deleted: {what}; import again")


def _remake_manifest(store: Path) -> int:
    """Make the manifest from the data files, and return their number."""
    manifest = commit_manifest(store, Manifest.scan(store))
    suspects = {p: e for p, e in manifest.partitions() if e.rows and file_problem(store, p)}
    # An empty checksum fits no file, so that each of them counts as damaged below.
    doubtful = {p: e._replace(sha256="") for p, e in suspects.items()}
    manifest = commit_manifest(store, manifest.with_changes(doubtful))
    return sum(len(entries) for entries in manifest.files.values())


class _Repairer:
    """Repairs the damages of a store whose manifest can be read.

    Use it with the writer's lock held.
    """

    def __init__(self, store: Path, time_manager: TimeManager) -> None:
        self._store = store
        self._time_manager = time_manager
        self._changes: dict[Partition, FileEntry | None] = {}
        self._side_changes: dict[str, SideEntry | None] = {}
        self._lost: list[Repair] = []

    def repair_all(self) -> list[Repair]:
        """Find and repair all damages, and commit the manifest."""
        done = [each for damage in find_damages(self._store, None).damages for each in self._repaired(damage)]
        # Files that may be rebuilt stay in the manifest until they are, so that a killed repair can be begun again.
        rebuildable = {p for p, entry in self._changes.items() if entry is None and p.interval in FINER}
        known = {p: entry for p, entry in self._changes.items() if p not in rebuildable}
        manifest = Manifest.load(self._store).with_changes(known, self._side_changes)
        if known or self._side_changes:
            commit_manifest(self._store, manifest)
        done += [each for each in self._lost if _partition(each.damage) not in rebuildable]
        # 1m bars first, because 1d bars are built from them.
        for interval in ("1m", "1d"):
            lost = [
                e
                for e in self._lost
                if _partition(e.damage) in rebuildable and _partition(e.damage).interval == interval
            ]
            if lost:
                built, manifest = self._rebuilt(lost, manifest)
                done += built
        return done

    def _repaired(self, damage: Damage) -> list[Repair]:
        """Repair one damage, and return the outcome.

        A lost data file is only recorded in ``_lost``, because its outcome depends on what can be rebuilt.
        """
        if damage.kind == "unreadable":
            text = (
                f"{damage.reason}: let this user read it, or repair the disk; if it is lost, delete it and repair again"
            )
            return [Repair(damage, "left", text)]
        if damage.kind == "damaged" and (entry := self._entry_if_good(damage)):
            self._changes[_partition(damage)] = entry
            return [Repair(damage, "rebuilt", f"its {entry.rows:,} bars are good")]
        if damage.kind in ("damaged", "missing"):
            self._changes[_partition(damage)] = None
            self._lost.append(self._moved_out(damage))
            return []
        if damage.kind == "unknown":
            return [self._adopted_or_set_aside(damage)]
        return [self._repaired_side_file(damage)]

    def _repaired_side_file(self, damage: Damage) -> Repair:
        """Adopt or restore a file beside the bars, or move it into the quarantine."""
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
            text = "the next fetch requests these sessions again"
            return Repair(damage, "set aside", text, moved_to=moved_to)
        again = "daily bars of days that are not sessions" if damage.kind == "days" else "corporate actions"
        return Repair(damage, "lost", f"import the {again} again", None, moved_to)

    def _entry_if_good(self, damage: Damage) -> FileEntry | None:
        """Return the entry of a good file without a known checksum, else None.

        Such a file was listed in a manifest made from the data files, which cannot know its checksum.
        """
        if damage.entry is None or damage.entry.sha256:
            return None
        return entry_if_valid(self._store, _partition(damage))

    def _moved_out(self, damage: Damage) -> Repair:
        """Move a damaged data file into the quarantine, if it is there."""
        rows = damage.entry.rows or None if damage.entry is not None else None
        moved_to = None if damage.kind == "missing" else _to_quarantine(self._store, damage.file)
        return Repair(damage, "lost", "import its data again", rows, moved_to)

    def _adopted_or_set_aside(self, damage: Damage) -> Repair:
        """Adopt an unlisted file that holds good bars, else move it into the quarantine."""
        if is_data_file(self._store, damage.file):
            partition = layout.partition_of(damage.file)
            if entry := entry_if_valid(self._store, partition):
                self._changes[partition] = entry
                known = Damage("unknown", damage.file, damage.reason, partition, entry)
                return Repair(known, "adopted", f"its {entry.rows:,} bars belong to the store now")
        moved_to = _to_quarantine(self._store, damage.file)
        return Repair(damage, "set aside", "it does not hold good bars of its place", moved_to=moved_to)

    def _rebuilt(self, lost: list[Repair], manifest: Manifest) -> tuple[list[Repair], Manifest]:
        """Rebuild lost files of one interval, and commit the manifest.

        Bars are built where the finer bars are complete.
        """
        writer = StoreWriter(
            FolderBacking(self._store), manifest.with_changes(dict.fromkeys(_partition(e.damage) for e in lost))
        )
        done = [self._rebuilt_file(each, writer) for each in lost]
        writer.flush()
        return done, commit_manifest(self._store, writer.manifest)

    def _rebuilt_file(self, loss: Repair, writer: StoreWriter) -> Repair:
        partition, entry = _partition(loss.damage), loss.damage.entry
        if entry is None:
            return loss
        bars, marks = rebuilt(BarStore(self._store), partition, entry, self._time_manager)
        if bars.is_empty():
            return loss
        writer.write(partition.symbol, partition.interval, bars, built=marks)
        lost = None if loss.rows_lost is None else max(0, loss.rows_lost - bars.height)
        first, last = bars["timestamp"][0], bars["timestamp"][-1]
        what, finer = ("sessions", "minutes") if partition.interval == "1d" else ("minutes", "seconds")
        text = f"{bars.height:,} {what}, {first:%Y-%m-%d} to {last:%Y-%m-%d}, built from complete {finer} and marked so"
        if lost == 0:
            return Repair(loss.damage, "rebuilt", text, 0, loss.moved_to)
        return Repair(loss.damage, "partly rebuilt", f"{text}; import the others again", lost, loss.moved_to)


def _to_quarantine(store: Path, path: Path) -> Path:
    """Move a file into the quarantine, and return its new path.

    The new name is made of the file's path.
    """
    folder = store / QUARANTINE / "damaged"
    folder.mkdir(parents=True, exist_ok=True)
    place = path.relative_to(store).with_suffix("").parts
    # Cut, because two long names of folders joined may exceed the longest name of a file.
    name = "-".join(place[1:] or place)[-_LONGEST_NAME:]
    n = 1
    while (target := folder / f"{name}-{n}{path.suffix[:_LONGEST_SUFFIX]}").exists():
        n += 1
    move_file(path, target)
    sync_folders([folder, path.parent])
    return target


def _partition(damage: Damage) -> Partition:
    return damage.partition or layout.partition_of(damage.file)
