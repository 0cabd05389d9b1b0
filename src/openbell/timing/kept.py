"""Calendars kept on disk between processes: what takes half a second to work out is read in a millisecond.

A kept file never decides what is true. It is named after all that its content was made of, carries a checksum, and is
made anew whenever either does not fit; where the folder cannot be read or written, everything is worked out each time.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from platformdirs import user_cache_path

from openbell.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = ["CACHE_VARIABLE", "Kept", "cache_folder", "keep"]

CACHE_VARIABLE = "OPENBELL_CACHE"
"""The environment variable that names another folder for what openbell keeps between runs, or ``off``."""

_FORMAT = "openbell calendars 1"
"""Changes with the layout of the files, and with how openbell reads exchange_calendars."""

_DIGITS = 64
_WORD = 8
_TOO_OLD_S = 400 * 86_400
"""Calendars reach a year ahead, so that a file as old as that is of no use to anybody."""


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """What a file keeps.

    Attributes:
        facts: What JSON can say, lists rather than tuples.
        columns: int64 columns of one length, one after another; read-only when they come from a file.
    """

    facts: dict[str, Any]
    columns: Sequence[NDArray[np.int64]] = ()


def cache_folder() -> Path | None:
    """Where openbell keeps what it can work out again; None when `CACHE_VARIABLE` is ``off`` or there is no home."""
    named = os.environ.get(CACHE_VARIABLE, "")
    if named.casefold() == "off":
        return None
    try:
        return Path(named).expanduser() if named else user_cache_path("openbell", appauthor=False)
    except RuntimeError:
        return None


def keep(name: str, made_of: Sequence[str], make: Callable[[], Kept]) -> Kept:
    """What `make` makes, from the file that a process before this one left if there is one.

    Args:
        name: What people call it; part of the file's name.
        made_of: All that the result depends on. A result that was made of something else is not taken.
        make: Works it out; what it raises is raised.
    """
    folder = cache_folder()
    if folder is None:
        return make()
    origin = json.dumps([_FORMAT, name, *made_of]).encode()
    key = hashlib.sha256(origin).hexdigest()[:16]
    path = folder / "calendars" / f"{re.sub(r'[^A-Za-z0-9]', '-', name)}-{key}.bin"
    kept = _read(path, origin)
    if kept is None:
        kept = make()
        _write(path, _encoded(kept, origin))
    return kept


def _read(path: Path, origin: bytes) -> Kept | None:
    """What a file keeps; None when it is not there, not whole or of another origin."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        get_logger().info("the calendar cache cannot be read", file=str(path), error=str(error))
        return None
    body = memoryview(content)[_DIGITS:]
    if content[:_DIGITS] != _checksum(origin, body):
        get_logger().warning("a file of the calendar cache is damaged; it is made anew", file=str(path))
        return None
    # The checksum tells that `_encoded` wrote all of it, so it can be read.
    end = _WORD + int.from_bytes(body[:_WORD], "little")
    facts, count = json.loads(bytes(body[_WORD:end]))
    numbers = np.frombuffer(body[end:], "<i8").astype(np.int64, copy=False)
    return Kept(facts, tuple(numbers.reshape(count, -1)) if count else ())


def _encoded(kept: Kept, origin: bytes) -> bytes:
    """Checksum of the rest, length of the heading, heading as JSON, columns; the columns lie at multiples of 8."""
    heading = json.dumps([kept.facts, len(kept.columns)]).encode()
    heading += b" " * (-len(heading) % _WORD)
    columns = b"".join(np.ascontiguousarray(column, "<i8").tobytes() for column in kept.columns)
    body = len(heading).to_bytes(_WORD, "little") + heading + columns
    return _checksum(origin, body) + body


def _checksum(origin: bytes, body: bytes | memoryview) -> bytes:
    """Fits a file only that says this of that origin, in this format; `_DIGITS` letters."""
    checksum = hashlib.sha256(origin)
    checksum.update(body)
    return checksum.hexdigest().encode()


def _write(path: Path, content: bytes) -> None:
    """Put a file in place at once, and take out old ones; other processes see all of it or none.

    That it cannot be is no error.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(content)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        now = path.stat().st_mtime
        for old in [file for file in path.parent.iterdir() if now - file.stat().st_mtime > _TOO_OLD_S]:
            old.unlink(missing_ok=True)
    except OSError as error:
        get_logger().info("the calendar cache cannot be written", file=str(path), error=str(error))
