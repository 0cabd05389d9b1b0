"""A buffer of frames that spills to disk above a number of rows."""

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
"""The most rows that a buffer holds in memory."""

_PREFIX = ".import-"


class SpillBuffer:
    """Frames in the order in which they were added, in memory or on disk.

    `close` deletes the files on disk.

    Args:
        folder: The folder in which a folder for spilled rows is made, if needed. Only one import at a time may use it,
            because `clean` deletes all such folders.
    """

    def __init__(self, folder: Path) -> None:
        self._parent = folder
        self._folder: Path | None = None
        self._frames: list[pl.DataFrame | Path] = []
        self._in_memory = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._frames)

    def add(self, frame: pl.DataFrame) -> None:
        """Append a frame.

        Raises:
            StoreError: The disk is full.
        """
        if self._in_memory + frame.height <= ROWS_IN_MEMORY:
            self._in_memory += frame.height
            self._frames.append(frame)
            return
        with writing_to(self._parent):
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=self._parent))
            path = self._folder / f"{len(self._frames)}.arrow"
            frame.write_ipc(path, compression="uncompressed")
        self._frames.append(path)

    def __getitem__(self, place: int) -> pl.DataFrame:
        buffered = self._frames[place]
        return buffered if isinstance(buffered, pl.DataFrame) else pl.read_ipc(buffered)

    def __iter__(self) -> Iterator[pl.DataFrame]:
        return (self[place] for place in range(len(self)))

    def close(self) -> None:
        """Drop all frames, and delete the files on disk."""
        self._frames.clear()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    @staticmethod
    def clean(folder: Path) -> None:
        """Delete what killed imports have left in ``folder``.

        Call it only when no other import can be running.
        """
        for left in folder.glob(f"{_PREFIX}*"):
            shutil.rmtree(left, ignore_errors=True)
