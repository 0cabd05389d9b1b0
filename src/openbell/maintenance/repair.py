"""`repair`: mends what `verify` finds as far as it can be mended, and says what was lost."""

from __future__ import annotations

import io
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import polars as pl

from openbell.errors import BadBarsError
from openbell.maintenance.rebuild import FINER, rebuilt
from openbell.maintenance.verify import LOCK_WAIT_S, Finding, find_problems
from openbell.store import layout
from openbell.store.atomic_files import replace_file, sync_folders, writer_lock
from openbell.store.check_bars import check_bars
from openbell.store.layout import BAR_SCHEMA, MANIFEST, PENDING, QUARANTINE, STAGING, Partition
from openbell.store.manifest import FileEntry, Manifest, describe_file, encode_bars
from openbell.store.marker import require_traces, write_marker
from openbell.store.store import BarStore
from openbell.store.writer import StoreWriter, commit_manifest, heal
from openbell.timing.manager import TimeManager

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Repair", "RepairReport", "repair"]

Outcome = Literal["rebuilt", "partly rebuilt", "adopted", "set aside", "lost"]


@dataclass(frozen=True, slots=True)
class Repair:
    """What became of one finding.

    Attributes:
        finding: What was wrong.
        outcome: "rebuilt"; "partly rebuilt" and "lost": some or all of the bars must be imported again; "adopted": the
            file holds good bars and belongs to the store now; "set aside": it was no part of the store.
        text: The same for people.
        rows_lost: Number of bars to import again; None when nobody knows how many they were.
        moved_to: Where the damaged file is now; None when there is none.
    """

    finding: Finding
    outcome: Outcome
    text: str
    rows_lost: int | None = 0
    moved_to: Path | None = None


@dataclass(frozen=True, slots=True)
class RepairReport:
    """What `repair` did; without repairs, the store was as it should be."""

    repairs: tuple[Repair, ...]

    @property
    def lost(self) -> tuple[Repair, ...]:
        """Those after which data must be imported again."""
        return tuple(r for r in self.repairs if r.outcome in ("lost", "partly rebuilt"))


def repair(store: Path, *, exchange: str = "XNYS") -> RepairReport:
    """Make a store whole again: what cannot be read or trusted is moved into its quarantine, what can be rebuilt is.

    - The marker and the manifest are made again; the manifest from the data files, of which only those that hold good
      bars are taken.
    - Daily bars are built from the minutes of the sessions in which every minute of regular hours is there, and minutes
      from seconds likewise. They are marked as built (`BarStore.built`), until a vendor's bar takes their place.
    - A file that the manifest does not know is taken in when it holds good bars of its place.

    May be killed and begun again. After it, the store has no findings; doing it twice is the same as doing it once.

    Args:
        store: The store's folder.
        exchange: The calendar that says which minutes a session has.

    Raises:
        StoreError: The folder is not a store, or another process is writing.
    """
    require_traces(store)
    time_manager = TimeManager(exchange)
    with writer_lock(store / layout.LOCK, wait_s=LOCK_WAIT_S):
        repairs = list(_mend_frame(store))
        heal(store, Manifest.load(store / MANIFEST))
        findings = find_problems(store, None).findings
        manifest = Manifest.load(store / MANIFEST)
        changes: dict[Partition, FileEntry | None] = {}
        lost: list[Repair] = []
        for finding in findings:
            if finding.kind == "damaged" and (entry := _entry_if_good(store, finding)):
                repairs.append(Repair(finding, "rebuilt", f"its {entry.rows:,} bars are good"))
                changes[_partition(finding)] = entry
            elif finding.kind in ("damaged", "missing"):
                lost.append(_give_up(store, finding))
                changes[_partition(finding)] = None
            elif finding.kind == "unknown":
                repairs.append(_adopt_or_set_aside(store, finding, changes))
            elif finding.kind == "fetched":
                repairs.append(_set_aside(store, finding, "set aside", "the next fetch asks again and remembers anew"))
            else:
                repairs.append(_set_aside(store, finding, "lost", "import the corporate actions again"))
        # What may be rebuilt stays known until it is: a repair that is killed before that can be begun again.
        hoped = {p: None for p, entry in changes.items() if entry is None and p.interval in FINER}
        manifest = manifest.with_changes({p: entry for p, entry in changes.items() if p not in hoped})
        if len(changes) > len(hoped):
            commit_manifest(store, manifest)
        repairs += [each for each in lost if _partition(each.finding) not in hoped]
        # Minutes first: days are built of them.
        for interval in ("1m", "1d"):
            mine = {p: None for p in hoped if p.interval == interval}
            writer = StoreWriter(store, manifest.with_changes(mine))
            repairs += [_rebuilt(store, e, writer, time_manager) for e in lost if _partition(e.finding) in mine]
            writer.flush()
            manifest = commit_manifest(store, writer.manifest) if mine else manifest
    return RepairReport(tuple(repairs))


def _mend_frame(store: Path) -> Iterator[Repair]:
    """Make again what the store is known by: marker, manifest, and no note that nobody can read."""
    for finding in find_problems(store, None).findings:
        if finding.kind == "marker":
            write_marker(store)
            yield Repair(finding, "rebuilt", "written again")
        elif finding.kind == "note":
            shutil.rmtree(store / STAGING, ignore_errors=True)
            (store / PENDING).unlink()
            yield Repair(finding, "set aside", "deleted: the import that it belonged to was killed; import again")
        elif finding.kind == "manifest":
            manifest = commit_manifest(store, Manifest.scan(store))
            suspects = {p: e for p, e in manifest.partitions() if e.rows and _file_problem(store, p)}
            # A checksum that fits nothing makes each of them a damaged file below.
            doubtful = {p: e._replace(sha256="") for p, e in suspects.items()}
            manifest = commit_manifest(store, manifest.with_changes(doubtful))
            count = sum(len(entries) for entries in manifest.files.values())
            yield Repair(finding, "rebuilt", f"made again from the {count:,} data files that are there")
    if not (store / MANIFEST).exists():
        commit_manifest(store, Manifest.scan(store))


def _give_up(store: Path, finding: Finding) -> Repair:
    """Take a data file that is not what was stored out of the store."""
    rows = finding.entry.rows or None if finding.entry is not None else None
    text = "import its data again"
    if finding.kind == "missing":
        return Repair(finding, "lost", text, rows)
    return Repair(finding, "lost", text, rows, _to_quarantine(store, finding.path))


def _adopt_or_set_aside(store: Path, finding: Finding, changes: dict[Partition, FileEntry | None]) -> Repair:
    path = finding.path
    if re.fullmatch(r"bars/interval=[^/]+/symbol=[^/]+/[^/.]+\.parquet", path.relative_to(store).as_posix()):
        partition = layout.partition_of(path)
        if entry := _good_entry(store, partition):
            changes[partition] = entry
            known = Finding("unknown", path, finding.reason, partition, entry)
            return Repair(known, "adopted", f"its {entry.rows:,} bars belong to the store now")
    return _set_aside(store, finding, "set aside", "it does not hold good bars of its place")


def _set_aside(store: Path, finding: Finding, outcome: Outcome, text: str) -> Repair:
    lost = None if outcome == "lost" else 0
    return Repair(finding, outcome, text, lost, _to_quarantine(store, finding.path))


def _to_quarantine(store: Path, path: Path) -> Path:
    """Move a file to where nobody reads it; it keeps its place in its name."""
    folder = store / QUARANTINE / "damaged"
    folder.mkdir(parents=True, exist_ok=True)
    name = "-".join(path.relative_to(store).with_suffix("").parts[1:])
    n = 1
    while (target := folder / f"{name}-{n}{path.suffix}").exists():
        n += 1
    path.rename(target)
    sync_folders([folder, path.parent])
    return target


def _entry_if_good(store: Path, finding: Finding) -> FileEntry | None:
    """What a file holds that the manifest never knew the content of, if those are good bars."""
    if finding.entry is None or finding.entry.sha256:
        return None
    return _good_entry(store, _partition(finding))


def _good_entry(store: Path, partition: Partition) -> FileEntry | None:
    """The entry of a file of good bars of its place, which is written anew when only its types are others."""
    path = layout.data_path(store, partition)
    try:
        frame = pl.read_parquet(io.BytesIO(path.read_bytes()))
        if frame.schema == BAR_SCHEMA:
            return None if _content_problem(partition, frame) else describe_file(path)
        if set(frame.columns) != set(BAR_SCHEMA):
            return None
        bars = layout.as_stored(partition.interval, frame)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, BadBarsError):
        return None
    if _content_problem(partition, bars):
        return None
    content, entry = encode_bars(partition.part, bars)
    replace_file(path, content)
    sync_folders([path.parent])
    return entry


def _file_problem(store: Path, partition: Partition) -> str | None:
    """Why a file cannot be the bars of its place; None when it can."""
    try:
        frame = pl.read_parquet(io.BytesIO(layout.data_path(store, partition).read_bytes()))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as exc:
        return str(exc)
    return _content_problem(partition, frame)


def _content_problem(partition: Partition, frame: pl.DataFrame) -> str | None:
    """Why a frame cannot be the bars of a place; None when it can."""
    if frame.schema != BAR_SCHEMA:
        return "its columns are not those of bars"
    try:
        parts = [part for part, _ in layout.partitions(partition.interval, layout.as_stored(partition.interval, frame))]
        checked = check_bars(frame)
    except (pl.exceptions.PolarsError, BadBarsError) as exc:
        return str(exc)
    if parts != [partition.part]:
        return "its bars are of another month"
    if len(checked.bad) or checked.unsorted or checked.duplicates:
        return "its bars contradict themselves"
    return None


def _partition(finding: Finding) -> Partition:
    return finding.partition or layout.partition_of(finding.path)


def _rebuilt(store: Path, given_up: Repair, writer: StoreWriter, time_manager: TimeManager) -> Repair:
    """Build lost bars from finer ones, where these are complete."""
    partition, entry = _partition(given_up.finding), given_up.finding.entry
    if entry is None:
        return given_up
    bars, marks = rebuilt(BarStore(store), partition, entry, time_manager)
    if bars.is_empty():
        return given_up
    writer.write(partition.symbol, partition.interval, bars, built=marks)
    lost = None if given_up.rows_lost is None else max(0, given_up.rows_lost - bars.height)
    first, last = bars["timestamp"][0], bars["timestamp"][-1]
    what, finer = ("sessions", "minutes") if partition.interval == "1d" else ("minutes", "seconds")
    text = f"{bars.height:,} {what}, {first:%Y-%m-%d} to {last:%Y-%m-%d}, built from complete {finer} and marked so"
    if lost == 0:
        return Repair(given_up.finding, "rebuilt", text, 0, given_up.moved_to)
    return Repair(given_up.finding, "partly rebuilt", f"{text}; import the others again", lost, given_up.moved_to)
