"""Stores that several tests read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from openbell.data.importers.lean import import_lean
from openbell.data.store import BarStore

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def lean_store(lean_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> BarStore:
    """All real data in a store; tests must not write to it."""
    store = BarStore.open_or_create(tmp_path_factory.mktemp("lean") / "store")
    import_lean(lean_dir, store)
    return store
