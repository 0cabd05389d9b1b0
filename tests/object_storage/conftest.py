"""A bucket on a real S3 server, with a cache of its own for each test."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest

from faulty_proxy import FaultyProxy
from openbell.model.address import StoreAddress
from s3_server import S3Server, running_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET = "wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY"

_NUMBERS = count(1)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """An S3 server, one for all tests."""
    yield from running_server()


@pytest.fixture
def proxy(s3_server: S3Server) -> Iterator[FaultyProxy]:
    """A proxy before it, without faults until a test says so."""
    with FaultyProxy(s3_server.port) as running:
        yield running


@pytest.fixture
def address(s3_server: S3Server, proxy: FaultyProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StoreAddress:
    """An address in an empty bucket, which this process reaches through the proxy."""
    bucket = f"bucket-{next(_NUMBERS)}"
    s3_server.make_bucket(bucket)
    for name, value in environment(proxy.url, tmp_path / "cache").items():
        monkeypatch.setenv(name, value)
    return StoreAddress("s3", bucket, "bars/us")


def environment(endpoint: str, cache: Path) -> dict[str, str]:
    """The environment of a process that uses the server."""
    return {
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": endpoint,
        "OPENBELL_CACHE": str(cache),
    }
