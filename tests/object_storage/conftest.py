"""A bucket on a real S3 server, with a cache of its own for each test."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest

from faulty_proxy import FaultyProxy
from openbell.model.address import StoreAddress

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from s3_server import S3Server

_NUMBERS = count(1)


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
    for name, value in s3_server.environment(tmp_path / "cache", endpoint=proxy.url).items():
        monkeypatch.setenv(name, value)
    return StoreAddress("s3", bucket, "bars/us")
