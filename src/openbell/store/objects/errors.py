"""Errors of object storage as messages for people, without credentials."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from openbell.errors import ConfigError, NotAStoreError, StoreError, UnansweredError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openbell.model.address import StoreAddress

__all__ = ["endpoint_of", "translated_errors"]

_CREDENTIALS = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN of temporary ones)",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
    "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
}
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
_SERVER = re.compile(r"https?://[^\s/?#]+(/[^\s?#]*)?$")
_STATUS = re.compile(r"status code: (\d{3})[\w ]*|[\"( ](5\d\d) ")
_CODE = re.compile(r"<Code>(\w{1,60})</Code>")
_NO_BUCKET = ("NoSuchBucket", "ContainerNotFound", "bucket does not exist")
_NO_CREDENTIALS = ("169.254.169.254", "169.254.170.2", "metadata.google", "Missing", "credentials")
_REFUSED = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "AccessDenied")
_ELSEWHERE = ("PermanentRedirect", "AuthorizationHeaderMalformed", "BareRedirect", "redirect")


def endpoint_of(address: StoreAddress) -> str | None:
    """Return the server that the environment names in place of the service's own, or None.

    Raises:
        ConfigError: The environment variable is not the address of a server.
    """
    named = ((name, os.environ.get(name)) for name in _ENDPOINTS if address.scheme == "s3")
    name, value = next((pair for pair in named if pair[1]), ("", None))
    if value is not None and not _SERVER.match(value):
        # Not shown: it may hold a password.
        raise ConfigError(
            f"the environment variable {name} is not a valid address of a server. Write for example https://host:9000."
        )
    return value


@contextmanager
def translated_errors(address: StoreAddress, doing: str) -> Iterator[None]:
    """Translate errors of object storage in a ``with`` block into errors with messages for people.

    Errors that an object does not exist, exists already or has changed are left to the caller.

    Args:
        address: The address that is accessed.
        doing: The verb for the message, such as "read".

    Raises:
        NotAStoreError: There is no such bucket.
        StoreError: The server refuses the request.
        UnansweredError: The server does not answer.
    """
    from obstore import exceptions

    try:
        yield
    except (exceptions.AlreadyExistsError, exceptions.PreconditionError, exceptions.NotModifiedError):
        raise
    except FileNotFoundError as exc:
        if any(word in str(exc) for word in _NO_BUCKET):
            # Not "from exc": the library's texts name requests, some of which hold a signature.
            raise _no_bucket(address) from None
        raise
    except (exceptions.BaseError, OSError, ValueError) as exc:
        error = _translated(address, doing, f"{type(exc).__name__} {exc}")
        raise error from None


def _translated(address: StoreAddress, doing: str, text: str) -> StoreError:
    status, code = _STATUS.search(text), _CODE.search(text)
    number = int(next(filter(None, status.groups()))) if status else 0
    why = " ".join(filter(None, [str(number or ""), code and code[1]]))
    if any(word in text for word in _NO_BUCKET):
        return _no_bucket(address)
    if any(word in text for word in _ELSEWHERE):
        return StoreError(
            f"cannot {doing} {address}: the bucket is in another region ({why or 'redirected'}). "
            "Name it in the environment variable AWS_REGION."
        )
    if (
        text.startswith(("PermissionDenied", "Unauthenticated"))
        or number in (401, 403)
        or any(w in text for w in _REFUSED)
    ):
        return StoreError(
            f"cannot {doing} {address}: access is denied ({why or 'refused'}). Check {_CREDENTIALS[address.scheme]} "
            "in the environment, and what they may do with this bucket."
        )
    server = _server(address)
    if not number and any(word in text for word in _NO_CREDENTIALS):
        return StoreError(
            f"cannot {doing} {address}: there are no credentials. Set {_CREDENTIALS[address.scheme]} in the "
            "environment" + (", or AWS_SKIP_SIGNATURE=true for a public bucket." if address.scheme == "s3" else ".")
        )
    if number == 0 or number >= 500 or number in (408, 429):
        if not number:
            why = "it takes too long" if "timed out" in text else "no connection"
        return UnansweredError(
            f"cannot {doing} {address}: {server} does not answer ({why}). Check the network"
            + (", and the address in AWS_ENDPOINT_URL" if endpoint_of(address) else "")
            + "; or try again later."
        )
    return StoreError(f"cannot {doing} {address}: {server} answers {why}. Is it the address of object storage?")


def _no_bucket(address: StoreAddress) -> NotAStoreError:
    return NotAStoreError(
        f"there is no bucket {address.bucket} at {_server(address)}. Make it first, or name another one."
    )


def _server(address: StoreAddress) -> str:
    """Return the server's name for people."""
    endpoint = endpoint_of(address)
    if endpoint is None:
        return {"s3": "Amazon S3", "gs": "Google Cloud Storage", "az": "Azure Blob Storage"}[address.scheme]
    try:
        # Without user and password, which some write into it.
        parts = urlsplit(endpoint)
        host, port = parts.hostname or "the server", parts.port
    except ValueError:
        return "the server"
    return f"{host}:{port}" if port else host
