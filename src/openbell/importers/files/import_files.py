"""The files that an import reads, with their names and decompressed content."""

from __future__ import annotations

import gzip
import io
import lzma
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

import polars as pl

from openbell.errors import ConfigError
from openbell.importers.files.conversion_hints import conversion_of
from openbell.importers.files.download import as_given
from openbell.importers.files.file_pattern import pattern_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["UNREADABLE", "ImportSource", "find_sources", "open_bytes", "open_zip"]

UNREADABLE = (
    OSError, EOFError, RuntimeError, UnicodeError, zipfile.BadZipFile, zlib.error, lzma.LZMAError,
    pl.exceptions.PolarsError,
)  # fmt: skip
"""The errors that readers raise for a damaged or invalid file; an encrypted zip is a RuntimeError."""

_PACKED = (".gz", ".zst")
_WILD = set("*?[")
# Text files beside the data that are no tables.
_PROSE = re.compile(r"(read.?me|licen[cs]e|notice|change(log|s)?|terms|about|info|disclaimer)\b.*\.txt$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ImportSource:
    """One table of bars to import.

    Attributes:
        path: The file.
        member: The file within a zip; else None.
        symbol: The symbol that was given, or that in the name, in upper case; None when a column has it.
        day: The date in the name, None if the pattern has none.
    """

    path: Path
    member: str | None = None
    symbol: str | None = None
    day: date | None = None

    @property
    def name(self) -> str:
        """The name without the folder and the endings, e.g. ``spy`` of ``data/spy.csv.gz``."""
        return _stem(self.member or self.path.name)

    def __str__(self) -> str:
        return as_given(f"{self.path}:{self.member}" if self.member else self.path)


def find_sources(
    paths: Sequence[Path], endings: tuple[str, ...], *, symbol: str | None, file_name: str, symbol_column: bool = False
) -> list[ImportSource]:
    """List the tables that paths name, for each path in order of the files' names.

    Args:
        paths: Files, zips, folders, globs, and patterns such as ``data/{symbol}_{date}.csv.gz``.
        endings: The endings of files in a folder or zip, such as ``.csv``; ``.gz`` or ``.zst`` may follow.
        symbol: The symbol of all tables; None takes it from the names.
        file_name: The pattern of the names, without endings, where the path is not a pattern itself.
        symbol_column: Whether a column has the symbols, so that names need not have them.

    Raises:
        ConfigError: There are no such files, or a name does not fit its pattern.
    """
    if not paths:
        raise ConfigError("no files are named. Name at least one.")
    if "{symbol}" not in file_name:
        raise ConfigError(f"the file name pattern {file_name!r} has no {{symbol}} in it.")
    found: list[ImportSource] = []
    for path in paths:
        for file, pattern in _files(path, endings):
            for member in _members(file, endings):
                name, day = _named(file, member, pattern, file_name, needed=not (symbol or symbol_column))
                found.append(ImportSource(file, member, symbol or name, day))
    if not found:
        raise ConfigError(f"there are no {endings[0]} files in {', '.join(map(str, paths))}.{_below(paths, endings)}")
    return found


def _files(path: Path, endings: tuple[str, ...]) -> Iterator[tuple[Path, str | None]]:
    """Yield the files that a path names, each with the pattern that matched, or None."""
    text = str(path)
    if path.is_file():
        if (hint := conversion_of(_unpacked(path), endings)) is not None:
            raise ConfigError(f"{path} is not a {endings[0]} file: {hint}")
        yield path, None
    elif path.is_dir():
        wanted = (*_with_packed(endings), *(f"{e}.zip" for e in endings), ".zip")
        yield from ((p, None) for p in sorted(path.iterdir()) if _is_wanted(p.name, wanted) and p.is_file())
    elif "{symbol}" in text or "{date}" in text or _WILD & set(text):
        files = _glob(text.replace("{symbol}", "*").replace("{date}", "*"))
        pattern = text if "{symbol}" in text or "{date}" in text else None
        fits = pattern_of(text, is_path=True).fullmatch
        matching = [(file, pattern) for file in files if pattern is None or fits(str(file))]
        if not matching:
            raise ConfigError(f"no file fits {text}.")
        yield from matching
    else:
        raise ConfigError(f"there is no file {path}.")


def _is_wanted(name: str, endings: tuple[str, ...]) -> bool:
    return name.lower().endswith(endings) and not _PROSE.match(name)


def _unpacked(path: Path) -> Path:
    return path.with_suffix("") if path.suffix.lower() in (*_PACKED, ".zip") else path


def _below(paths: Sequence[Path], endings: tuple[str, ...]) -> str:
    """Return a hint at files in subfolders.

    It is a sentence with a leading blank, or empty.
    """
    for folder in filter(Path.is_dir, paths):
        deep = next((p for p in sorted(folder.rglob("*")) if p.name.lower().endswith(_with_packed(endings))), None)
        if deep is not None:
            say = folder / "**" / f"*{''.join(deep.suffixes[-2:] if deep.suffix in _PACKED else [deep.suffix])}"
            found = deep.relative_to(folder)
            return f" Folders below it hold some, such as {found}: use '{say}', or a pattern with {{symbol}}."
    return ""


def _glob(text: str) -> list[Path]:
    parts = Path(text).parts
    fixed = next(i for i, part in enumerate(parts) if _WILD & set(part))
    root = Path(*parts[:fixed]) if fixed else Path()
    return sorted(p for p in root.glob(str(Path(*parts[fixed:]))) if p.is_file())


def _members(file: Path, endings: tuple[str, ...]) -> list[str | None]:
    """Return the names of the tables in a zip, [None] for any other file."""
    if file.suffix.lower() != ".zip":
        return [None]
    try:
        with open_zip(file) as archive:
            names = sorted(n for n in archive.namelist() if _is_wanted(Path(n).name, endings))
    except UNREADABLE:
        return [None]  # reading the zip later raises the reason, and the other files are imported
    return [n for n in names if not n.startswith("__MACOSX")]


def _named(
    file: Path, member: str | None, pattern: str | None, file_name: str, *, needed: bool
) -> tuple[str | None, date | None]:
    """Return the symbol and the date in the name of a file or member.

    Raises:
        ConfigError: A symbol is ``needed`` and the name does not fit the pattern, or its date is not one.
    """
    if pattern is not None:
        match = pattern_of(pattern, is_path=True).fullmatch(str(file))
        if match and ("{symbol}" in pattern or not needed):
            return _read_name(match, file)
        day = _read_name(match, file)[1] if match else None
        return _named(file, member, None, file_name, needed=needed)[0], day
    stem = _stem(member or file.name)
    match = pattern_of(file_name, is_path=False).fullmatch(stem)
    if match is None:
        if not needed:
            return None, None
        raise ConfigError(f"{file}: its name does not fit {file_name!r}; give the symbol with --symbol.")
    return _read_name(match, file)


def _read_name(match: re.Match[str], file: Path) -> tuple[str | None, date | None]:
    found = match.groupdict()
    symbol, digits = found.get("symbol"), re.sub(r"\D", "", found.get("date") or "")
    try:
        day = date(int(digits[:4]), int(digits[4:6]), int(digits[6:])) if digits else None
    except ValueError:
        raise ConfigError(f"{file}: {found['date']} in its name is not a date.") from None
    return symbol.upper() if symbol else None, day


def _stem(name: str) -> str:
    name = Path(name).name
    for ending in (*_PACKED, ".zip"):
        name = name[: -len(ending)] if name.lower().endswith(ending) else name
    return re.sub(r"\.(csv|txt|tsv|parquet|pq|dbn|jsonl?|ndjson|feather|arrow|ipc)$", "", name, flags=re.IGNORECASE)


def _with_packed(endings: tuple[str, ...]) -> tuple[str, ...]:
    return (*endings, *(e + packed for e in endings for packed in _PACKED))


def open_zip(file: Path) -> zipfile.ZipFile:
    """Open a zip.

    Raises:
        OSError: The file cannot be opened.
        zipfile.BadZipFile: The zip's directory is damaged, or of a version that Python does not read.
    """
    try:
        return zipfile.ZipFile(file)
    except (NotImplementedError, ValueError, OverflowError, struct.error) as exc:
        raise zipfile.BadZipFile(str(exc)) from exc


def open_bytes(source: ImportSource) -> IO[bytes]:
    """Open the content of a source, decompressed while it is read.

    Raises:
        OSError: The file cannot be opened.
        zipfile.BadZipFile: The zip is damaged, or has no table.
    """
    if source.path.suffix.lower() == ".zip":
        archive = open_zip(source.path)
        if source.member is None:
            raise zipfile.BadZipFile("it holds no CSV")
        try:
            return archive.open(source.member)
        except (KeyError, ValueError, OverflowError, struct.error) as exc:
            raise zipfile.BadZipFile(str(exc)) from exc
    if source.path.suffix.lower() == ".gz":
        return cast("IO[bytes]", gzip.open(source.path))
    if source.path.suffix.lower() == ".zst":
        return io.BufferedReader(_ZstdLines(source.path), buffer_size=1 << 20)
    return source.path.open("rb")


class _ZstdLines(io.RawIOBase):
    """The lines of a zstd-compressed text, decompressed by polars."""

    def __init__(self, path: Path) -> None:
        lines = pl.scan_csv(
            path, has_header=False, separator="\x1f", quote_char=None, schema={"text": pl.String}, raise_if_empty=False
        )
        self._batches: Iterator[pl.DataFrame] = iter(
            lines.collect_batches(chunk_size=200_000, maintain_order=True, lazy=True)
        )
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        """Drop the query of polars, which ends it."""
        self._batches = iter(())
        super().close()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed's Buffer has no length
        while not self._left:
            batch = next(self._batches, None)
            if batch is None:
                return 0
            self._left = memoryview(("\n".join(batch["text"].fill_null("").to_list()) + "\n").encode())
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count
