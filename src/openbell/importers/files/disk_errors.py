"""Errors of the disk that an import writes to.

They are distinguished from faults of the files that it reads.
"""

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
    """Turn errors of writing to a folder of the store into a `StoreError`.

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
