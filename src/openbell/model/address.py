"""Addresses of stores in object storage."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from openbell.errors import ConfigError

__all__ = ["SCHEMES", "Place", "StoreAddress", "is_address", "name_within", "place_of"]

SCHEMES = ("s3", "gs", "az")
"""Amazon S3 and what speaks as it does, Google Cloud Storage, Azure Blob Storage."""

_MARK = "://"
_OF_PATH = re.compile(rf"^({'|'.join(SCHEMES)}):/(?=[^/])")


@dataclass(frozen=True, slots=True, order=True)
class StoreAddress:
    """The address of a store in object storage, or of something in it.

    Attributes:
        scheme: One of `SCHEMES`.
        bucket: The bucket; Azure's container.
        key: What the names of all its objects begin with, without slashes at the ends; may be empty.
    """

    scheme: str
    bucket: str
    key: str = ""

    def __str__(self) -> str:
        return f"{self.scheme}{_MARK}{self.bucket}" + (f"/{self.key}" if self.key else "")

    def __truediv__(self, name: str) -> StoreAddress:
        return StoreAddress(self.scheme, self.bucket, f"{self.key}/{name}" if self.key else name)

    @property
    def name(self) -> str:
        """The part behind the last slash."""
        return self.key.rpartition("/")[2] or self.bucket


def name_within(place: Place, store: Place) -> str:
    """Return the name of a file or an object within its store."""
    if isinstance(place, StoreAddress):
        return place.key.removeprefix(store.key).lstrip("/") if isinstance(store, StoreAddress) else str(place)
    return str(place.relative_to(str(store)))


Place: TypeAlias = Path | StoreAddress
"""Where a store is."""


def is_address(text: str) -> bool:
    """Return whether a text is meant as an address rather than as a folder."""
    return _MARK in text


def place_of(given: str | Place) -> Place:
    """Return the folder or the address that a text names.

    Raises:
        ConfigError: It is an address of which openbell knows nothing, or one that holds credentials.
    """
    if isinstance(given, StoreAddress):
        return given
    # A path has one slash of two.
    text = _OF_PATH.sub(r"\1://", str(given)) if isinstance(given, Path) else given
    if not is_address(text):
        return Path(given)
    scheme, _, rest = text.partition(_MARK)
    if "@" in rest.partition("/")[0] or "?" in rest:
        # Not shown: it may hold a key.
        raise ConfigError(
            f"an address of the form {scheme}{_MARK}bucket/prefix is without user, password and parameters. "
            "Credentials come from the environment."
        )
    if scheme not in SCHEMES:
        raise ConfigError(
            f"{text}: a store is in a folder, or at an address that begins with "
            f"{', '.join(f'{known}{_MARK}' for known in SCHEMES)}. A server of one's own that speaks as S3 does is "
            "s3://bucket/prefix, with its address in the environment variable AWS_ENDPOINT_URL."
        )
    bucket, _, key = rest.partition("/")
    if not bucket:
        raise ConfigError(f"{text} names no bucket: write {scheme}{_MARK}bucket/prefix.")
    parts = key.strip("/").split("/")
    if any(part in (".", "..") or (not part and key) for part in parts) or not text.isprintable():
        raise ConfigError(f"{text!r}: a prefix has plain names between single slashes, such as bars/us.")
    return StoreAddress(scheme, bucket, "/".join(parts))
