"""Parquet files that carry a checksum of their own, over every byte of the file.

The checksum is in the file's metadata, and is computed with zeros in its place.
"""

from __future__ import annotations

import hashlib

__all__ = ["BLANK_CHECKSUM", "has_own_checksum", "own_checksum", "sha256_of", "with_own_checksum"]

_KEY = "openbell_sha256"
_NO_DIGEST = "0" * 64

BLANK_CHECKSUM = {_KEY: _NO_DIGEST}
"""The metadata with which a file is written that is to carry its checksum."""


def sha256_of(content: bytes) -> str:
    """Return the checksum of a file's content, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def with_own_checksum(content: bytes) -> bytes:
    """Return a Parquet file that was written with `BLANK_CHECKSUM` with its checksum in that place."""
    place = _checksum_place(content)
    return content[: place.start] + sha256_of(content).encode() + content[place.stop :]


def own_checksum(content: bytes) -> str:
    """Return the checksum that a file carries."""
    return content[_checksum_place(content)].decode("ascii", "replace")


def has_own_checksum(content: bytes) -> bool:
    """Return whether a file carries the checksum of its content, to the byte."""
    place = _checksum_place(content)
    zeroed = content[: place.start] + _NO_DIGEST.encode() + content[place.stop :]
    return content[place] == sha256_of(zeroed).encode()


def _checksum_place(content: bytes) -> slice:
    # Parquet's footer has the value behind its name and two bytes for its type and length.
    begin = content.rfind(_KEY.encode()) + len(_KEY) + 2
    return slice(begin, begin + len(_NO_DIGEST))
