"""A buffer of frames that spills to disk when they are many."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Self

import polars as pl

from openbell.importers.files.disk_errors import writing_to

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ROWS_IN_MEMORY", "SpillBuffer"]

ROWS_IN_MEMORY = 600_000
"""How many rows a buffer has in memory at most."""

_PREFIX = ".import-"


class SpillBuffer:
    """Frames in the order in which they came, in memory or on disk.

    `close` removes what is on disk.

    Args:
        folder: Where the folder of the rows is made, when they are many. Only one import at a time may use it, and
            what a killed one has left is removed.
    """

    def __init__(self, folder: Path) -> None:
        self._parent = folder
        self._folder: Path | None = None
        self._shelved: list[pl.DataFrame | Path] = []
        self._in_memory = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._shelved)

    def add(self, frame: pl.DataFrame) -> None:
        """Append a frame.

        Raises:
            StoreError: The disk is full.
        """
        if self._in_memory + frame.height <= ROWS_IN_MEMORY:
            self._in_memory += frame.height
            self._shelved.append(frame)
            return
        with writing_to(self._parent):
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=self._parent))
            path = self._folder / f"{len(self._shelved)}.arrow"
            frame.write_ipc(path, compression="uncompressed")
        self._shelved.append(path)

    def __getitem__(self, place: int) -> pl.DataFrame:
        buffered = self._shelved[place]
        return buffered if isinstance(buffered, pl.DataFrame) else pl.read_ipc(buffered)

    def __iter__(self) -> Iterator[pl.DataFrame]:
        return (self[place] for place in range(len(self)))

    def close(self) -> None:
        """Drop the rows."""
        self._shelved.clear()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    @staticmethod
    def clean(folder: Path) -> None:
        """Remove what killed imports have left in ``folder``.

        Call it when no other import can be running.
        """
        for left in folder.glob(f"{_PREFIX}*"):
            shutil.rmtree(left, ignore_errors=True)
