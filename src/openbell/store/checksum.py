"""Parquet files that prove themselves: each carries its own checksum in its metadata, over every byte of the file.

The checksum is computed with zeros in its place.
"""

from __future__ import annotations

import hashlib

__all__ = ["UNSEALED", "is_sealed", "sealed", "sha256_of"]

_SEAL = "openbell_sha256"
_NO_DIGEST = "0" * 64

UNSEALED = {_SEAL: _NO_DIGEST}
"""The metadata with which a file is written that is to be sealed."""


def sha256_of(content: bytes) -> str:
    """The checksum of a file's content, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def sealed(content: bytes) -> bytes:
    """A Parquet file that was written with the metadata `UNSEALED`, with its checksum in the place kept for it."""
    place = _seal_place(content)
    return content[: place.start] + sha256_of(content).encode() + content[place.stop :]


def is_sealed(content: bytes) -> bool:
    """Whether a sealed file is as it was written, to the byte."""
    place = _seal_place(content)
    zeroed = content[: place.start] + _NO_DIGEST.encode() + content[place.stop :]
    return content[place] == sha256_of(zeroed).encode()


def _seal_place(content: bytes) -> slice:
    """Where the checksum is: Parquet's footer has it behind its name and two bytes that tell its type and length."""
    begin = content.rfind(_SEAL.encode()) + len(_SEAL) + 2
    return slice(begin, begin + len(_NO_DIGEST))
