"""Files of a store beside its bars, such as the corporate actions."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from openbell.store.checksum import has_own_checksum, sha256_of
from openbell.store.layout import LABEL, SIDE_FILES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["SideEntry", "scan_side_files", "side_entry", "side_file_problem"]


class SideEntry(NamedTuple):
    """A file of the store beside its bars, such as the corporate actions.

    Attributes:
        bytes: Size of the file.
        sha256: Checksum of the file, in hexadecimal digits.
        text: The text of a label, from which it can be written again; None for other files.
        object: The mark in the name of its object in object storage; empty in a folder.
    """

    bytes: int
    sha256: str
    text: str | None = None
    object: str = ""


def side_entry(name: str, content: bytes) -> SideEntry:
    """Return the manifest entry of a file beside the bars."""
    text = None
    if name == LABEL:
        # A label that is not UTF-8 was not written by openbell, and cannot be written again.
        with suppress(UnicodeDecodeError):
            text = content.decode()
    return SideEntry(len(content), sha256_of(content), text)


def side_file_problem(path: Path, entry: SideEntry) -> str | None:
    """Return why a file beside the bars is not what was stored, or None when it is."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return "it is missing"
    except OSError as exc:
        return exc.strerror or str(exc)
    return None if sha256_of(content) == entry.sha256 else "its content is not what was stored"


def scan_side_files(store: Path) -> Mapping[str, SideEntry]:
    """Return the files beside the bars that exist and are not damaged."""
    contents = {name: (store / name).read_bytes() for name in SIDE_FILES if (store / name).is_file()}
    return {
        name: side_entry(name, content)
        for name, content in contents.items()
        if name == LABEL or has_own_checksum(content)
    }
