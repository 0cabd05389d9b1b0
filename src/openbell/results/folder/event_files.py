"""Files of events, one JSON object per line, which may end within a line when their run was killed."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from openbell.errors import RunFolderError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from io import FileIO
    from pathlib import Path
    from typing import BinaryIO

    from openbell.model.json_object import JsonObject

__all__ = ["EventFile", "append", "event_lines", "opened_after_whole_lines", "whole_lines"]

_CHUNK_BYTES = 1 << 16
_CHARACTERS_SHOWN = 100
_MAY_DIFFER = re.compile(r'"ms": [0-9.e+-]+|"warnings": \[(?:"(?:[^"\\]|\\.)*"(?:, )?)*\]')
"""Times of the machine, and warnings about bars missing in the store, which may be there by now."""


def append(file: FileIO, content: bytes) -> None:
    """Write all of some content to an unbuffered file.

    Raises:
        OSError: It cannot be written.
    """
    while content:
        content = content[file.write(content) or 0 :]


class EventFile:
    """File of events that grows by whole lines.

    A run that goes on after it was killed is first replayed: lines that the file has already are compared with those of
    the replay, and not written twice.

    Args:
        path: The file.
        goes_on: Whether the run goes on after it was killed, so that the file may exist.

    Raises:
        FileExistsError: It is there, and the run is a new one.
        OSError: It cannot be written.
    """

    def __init__(self, path: Path, *, goes_on: bool = False) -> None:
        self.path = path
        self._before: Generator[str] | None = None
        self._number = 0
        if goes_on and path.exists():
            self._file = opened_after_whole_lines(path)
            self._before = whole_lines(path)
        else:
            self._file = path.open("xb", buffering=0)

    def write(self, lines: Sequence[str]) -> None:
        """Append lines without their ends, in one write.

        Raises:
            OSError: The file cannot be written.
            RunFolderError: A line differs from that before the run was killed.
        """
        new = list(lines) if self._before is None else self._not_yet_there(lines, self._before)
        if new:
            append(self._file, "\n".join([*new, ""]).encode())

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        if self._before is not None:
            self._before.close()

    def _not_yet_there(self, lines: Sequence[str], before: Generator[str]) -> list[str]:
        """Return the lines after those that the file has already."""
        for place, line in enumerate(lines):
            known = next(before, None)
            if known is None:
                self._before = None
                return list(lines[place:])
            self._number += 1
            then, now = _comparable(known[:-1]), _comparable(line)
            if then != now:
                at = next((n for n, (a, b) in enumerate(zip(then, now, strict=False)) if a != b), len(now))
                raise RunFolderError(
                    f"{self.path} line {self._number}: the replay differs from the recorded run, which therefore "
                    f"cannot continue. Then: {_around(then, at)} Now: {_around(now, at)} Possible causes: the strategy "
                    "uses the machine's clock, random numbers or its own files, or its code has changed since."
                )
        return []


def _comparable(line: str) -> str:
    """Return a line without what may differ when the same happens again."""
    return _MAY_DIFFER.sub("", line) if '"ms"' in line or '"warnings"' in line else line


def _around(line: str, at: int) -> str:
    """Return the part of a line around a place."""
    begin, end = max(0, at - _CHARACTERS_SHOWN), at + _CHARACTERS_SHOWN
    return f"{'…' * (begin > 0)}{line[begin:end]}{'…' * (end < len(line))}"


def opened_after_whole_lines(file: Path) -> FileIO:
    """Open a file for appending after its last whole line, where a part of a line is cut off.

    Raises:
        OSError: The file cannot be written.
    """
    opened = file.open("ab", buffering=0)
    if size := opened.tell():
        with file.open("rb") as content:
            opened.truncate(_end_of_whole_lines(content, size))
    return opened


def _end_of_whole_lines(content: BinaryIO, size: int) -> int:
    """Return where the last whole line ends."""
    begin = size
    while begin:
        begin, end = max(0, begin - _CHUNK_BYTES), begin
        content.seek(begin)
        if (found := content.read(end - begin).rfind(b"\n")) >= 0:
            return begin + found + 1
    return 0


def whole_lines(file: Path) -> Generator[str]:
    """Iterate over the whole lines of a file with their ends, without a part of one at the end.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not UTF-8.
    """
    with file.open(encoding="utf-8") as lines:
        yield from (line for line in lines if line.endswith("\n"))


def event_lines(file: Path, holding: re.Pattern[str] | None = None) -> Iterator[JsonObject]:
    """Iterate over the events of a file.

    Args:
        file: The file.
        holding: A pattern; lines in which it finds nothing are skipped.

    Raises:
        OSError: The file cannot be read.
        ValueError: A line is not JSON.
    """
    return (json.loads(line) for line in whole_lines(file) if holding is None or holding.search(line))
