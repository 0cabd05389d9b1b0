"""Feeds over real sockets, closed after each test."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from scripted_websocket import Feeds

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def feeds() -> Iterator[Feeds]:
    with ExitStack() as stack:
        yield Feeds(stack)
