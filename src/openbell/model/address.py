"""Addresses of stores in object storage."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from openbell.errors import ConfigError

__all__ = ["SCHEMES", "Place", "StoreAddress", "is_address", "name_within", "place_of"]

SCHEMES = ("s3", "gs", "az")
"""Schemes of Amazon S3 and servers with its protocol, of Google Cloud Storage, and of Azure Blob Storage."""

_SEPARATOR = "://"
_COLLAPSED = re.compile(rf"^({'|'.join(SCHEMES)}):/(?=[^/])")


@dataclass(frozen=True, slots=True, order=True)
class StoreAddress:
    """The address of a store in object storage, or of something in it.

    Attributes:
        scheme: One of `SCHEMES`.
        bucket: The bucket; on Azure, the container.
        key: The prefix of the names of all its objects, without slashes at either end; may be empty.
    """

    scheme: str
    bucket: str
    key: str = ""

    def __str__(self) -> str:
        return f"{self.scheme}{_SEPARATOR}{self.bucket}" + (f"/{self.key}" if self.key else "")

    def __truediv__(self, name: str) -> StoreAddress:
        return StoreAddress(self.scheme, self.bucket, f"{self.key}/{name}" if self.key else name)

    @property
    def name(self) -> str:
        """The part of the key after its last slash, or the bucket when the key is empty."""
        return self.key.rpartition("/")[2] or self.bucket


def name_within(place: Place, store: Place) -> str:
    """Return the path of a file or an object, relative to its store."""
    if isinstance(place, StoreAddress):
        return place.key.removeprefix(store.key).lstrip("/") if isinstance(store, StoreAddress) else str(place)
    return str(place.relative_to(str(store)))


Place: TypeAlias = Path | StoreAddress
"""A store, or something in it, as a path of the file system or an address in object storage."""


def is_address(text: str) -> bool:
    """Return whether a text is written as an address rather than as a folder."""
    return _SEPARATOR in text


def place_of(given: str | Place) -> Place:
    """Return the folder or the address that a text names.

    Raises:
        ConfigError: It is an address with an unknown scheme, with credentials or parameters, without a bucket, or with
            a malformed prefix.
    """
    if isinstance(given, StoreAddress):
        return given
    # pathlib collapses the two slashes of an address to one.
    text = _COLLAPSED.sub(r"\1://", str(given)) if isinstance(given, Path) else given
    if not is_address(text):
        return Path(given)
    scheme, _, rest = text.partition(_SEPARATOR)
    if "@" in rest.partition("/")[0] or "?" in rest:
        # Not shown: it may hold a key.
        raise ConfigError(
            f"an address of the form {scheme}{_SEPARATOR}bucket/prefix is without user, password and parameters. "
            "Credentials come from the environment."
        )
    if scheme not in SCHEMES:
        raise ConfigError(
            f"{text}: a store is in a folder, or at an address that begins with "
            f"{', '.join(f'{known}{_SEPARATOR}' for known in SCHEMES)}. A server of one's own that speaks as S3 does "
            "is s3://bucket/prefix, with its address in the environment variable AWS_ENDPOINT_URL."
        )
    bucket, _, key = rest.partition("/")
    if not bucket:
        raise ConfigError(f"{text} names no bucket: write {scheme}{_SEPARATOR}bucket/prefix.")
    parts = key.strip("/").split("/")
    if any(part in (".", "..") or (not part and key) for part in parts) or not text.isprintable():
        raise ConfigError(f"{text!r}: a prefix has plain names between single slashes, such as bars/us.")
    return StoreAddress(scheme, bucket, "/".join(parts))
