"""Client of the objects under an address, with operations that every object storage has."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from openbell.errors import ConfigError
from openbell.store.objects.errors import endpoint_of, translated_errors

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from openbell.model.address import StoreAddress

__all__ = ["RETRIES", "UNCHANGED", "Fetched", "Objects", "Tag"]

_AT_ONCE = 16
RETRIES: dict[str, Any] = {
    "max_retries": 8,
    "retry_timeout": timedelta(seconds=60),
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=5), "base": 2},
}
_LIMITS: dict[str, Any] = {"connect_timeout": timedelta(seconds=5), "timeout": timedelta(seconds=60)}


class Tag(NamedTuple):
    """Identifiers of an object's version, which change when the object is replaced."""

    e_tag: str | None
    version: str | None

    @staticmethod
    def of(answer: Mapping[str, Any]) -> Tag:
        """Return the tag in the metadata of an object."""
        return Tag(answer.get("e_tag"), answer.get("version"))


class Fetched(NamedTuple):
    """An object as it was read."""

    content: bytes
    tag: Tag


UNCHANGED = Fetched(b"", Tag(None, None))
"""Result of `Objects.get` for an object that is still the known one."""


class Objects:
    """The objects under an address.

    May be used from any thread.

    Args:
        address: The prefix of their names.

    Raises:
        ConfigError: The package for it is not installed, or the environment names no valid server.
        StoreError: The settings in the environment are not accepted.
    """

    def __init__(self, address: StoreAddress) -> None:
        try:
            from obstore.store import from_url
        except ImportError:
            raise ConfigError(
                f"{address}: stores in object storage need an extra package. "
                "Install it with: pip install 'openbell[s3]'"
            ) from None
        self.address = address
        endpoint = endpoint_of(address)
        options = {**_LIMITS, "allow_http": True} if endpoint and endpoint.startswith("http:") else _LIMITS
        # The server compares what it receives with this checksum.
        named: dict[str, Any] = {"checksum_algorithm": "SHA256"} if address.scheme == "s3" else {}
        named |= {"endpoint": endpoint} if endpoint else {}
        with translated_errors(address, "open"):
            open_store: Any = from_url  # untyped, because the keywords differ by scheme
            self._store: Any = open_store(str(address), client_options=options, retry_config=RETRIES, **named)

    def get(self, name: str, *, known: Tag | None = None) -> Fetched | None:
        """Read an object.

        Args:
            name: Its name below the address.
            known: The tag of the version that the caller has.

        Returns:
            The object; `UNCHANGED` when it is still the known one; None when there is none.
        """
        from obstore.exceptions import NotModifiedError

        options = {"if_none_match": known.e_tag} if known and known.e_tag else None
        with translated_errors(self.address / name, "read"):
            try:
                answer = self._store.get(name, options=options)
                return Fetched(bytes(answer.bytes()), Tag.of(answer.meta))
            except NotModifiedError:
                return UNCHANGED
            except FileNotFoundError as exc:
                if "NoSuchBucket" in str(exc):
                    raise
                return None

    def put(self, name: str, content: bytes) -> None:
        """Store an object under a unique name."""
        with translated_errors(self.address / name, "write"):
            # In one request, because the parts of an unfinished multipart upload would take up space.
            self._store.put(name, content, use_multipart=False)

    def put_if_absent(self, name: str, content: bytes) -> Tag | None:
        """Store an object and return its tag, or None when there is one of that name."""
        return self._put_if(name, content, "create")

    def replace_if_same(self, name: str, content: bytes, tag: Tag) -> Tag | None:
        """Replace an object that has a tag and return the new tag, or None when it has another tag."""
        return self._put_if(name, content, {key: value for key, value in tag._asdict().items() if value is not None})

    def _put_if(self, name: str, content: bytes, mode: str | dict[str, str]) -> Tag | None:
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        with translated_errors(self.address / name, "write"):
            try:
                return Tag.of(self._store.put(name, content, mode=mode, use_multipart=False))
            except (AlreadyExistsError, PreconditionError):
                return None

    def sizes(self, below: str = "") -> Iterator[tuple[str, int]]:
        """Yield the names of all objects, or of those below a prefix, with their sizes in bytes."""
        with translated_errors(self.address, "list"):
            for page in self._store.list(below or None):
                for found in page:
                    yield found["path"], found["size"]

    def delete(self, names: Iterable[str]) -> None:
        """Delete objects, of which some may not exist."""
        listed = list(names)
        with translated_errors(self.address, "delete from"), ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(self._delete_one, listed))

    def _delete_one(self, name: str) -> None:
        try:
            self._store.delete(name)
        except FileNotFoundError:
            return
