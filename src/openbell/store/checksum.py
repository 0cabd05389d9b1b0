"""Parquet files that carry a checksum of their own, over every byte of the file.

The checksum is in the file's metadata, and is computed with zeros in its place.
"""

from __future__ import annotations

import hashlib

__all__ = ["BLANK_CHECKSUM", "has_own_checksum", "own_checksum", "sha256_of", "with_own_checksum"]

_KEY = "openbell_sha256"
_NO_DIGEST = "0" * 64

BLANK_CHECKSUM = {_KEY: _NO_DIGEST}
"""Metadata with a placeholder for the checksum, with which a file is written first."""


def sha256_of(content: bytes) -> str:
    """Return the checksum of a file's content, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def with_own_checksum(content: bytes) -> bytes:
    """Return the content of a Parquet file, written with `BLANK_CHECKSUM`, with its checksum filled in."""
    place = _checksum_place(content)
    return content[: place.start] + sha256_of(content).encode() + content[place.stop :]


def own_checksum(content: bytes) -> str:
    """Return the checksum that a file carries."""
    return content[_checksum_place(content)].decode("ascii", "replace")


def has_own_checksum(content: bytes) -> bool:
    """Return whether the checksum that a file carries fits its content."""
    place = _checksum_place(content)
    zeroed = content[: place.start] + _NO_DIGEST.encode() + content[place.stop :]
    return content[place] == sha256_of(zeroed).encode()


def _checksum_place(content: bytes) -> slice:
    # In Parquet's footer the value follows its key after two bytes, of its type and length.
    begin = content.rfind(_KEY.encode()) + len(_KEY) + 2
    return slice(begin, begin + len(_NO_DIGEST))
