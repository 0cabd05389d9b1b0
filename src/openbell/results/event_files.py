"""Files of events, one JSON object a line, which may end within a line when their run was killed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator
    from io import FileIO
    from pathlib import Path

    from openbell.model.json_object import JsonObject

__all__ = ["append", "event_lines", "whole_lines"]


def append(file: FileIO, content: bytes) -> None:
    """Write all of some content to an unbuffered file.

    Raises:
        OSError: It cannot be written.
    """
    while content:
        content = content[file.write(content) or 0 :]


def whole_lines(file: Path) -> Iterator[str]:
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
        holding: Lines in which it finds nothing are passed over unread.

    Raises:
        OSError: The file cannot be read.
        ValueError: A line is not JSON.
    """
    return (json.loads(line) for line in whole_lines(file) if holding is None or holding.search(line))
