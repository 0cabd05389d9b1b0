"""Errors of the disk that an import writes to, as distinct from faults of the file that it reads."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import polars as pl

from openbell.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["writing_to"]


@contextmanager
def writing_to(folder: Path) -> Iterator[None]:
    """Raise an error of the store where a write to a folder of it fails.

    Raises:
        StoreError: The disk is full, or the folder cannot be written.
    """
    try:
        yield
    except (OSError, pl.exceptions.PolarsError) as exc:
        why = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
        raise StoreError(
            f"cannot write to {folder}: {why}. Make room, or let this user write there; import again."
        ) from exc
