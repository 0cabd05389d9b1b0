"""Files that the start of a live run makes, which are removed when it fails."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["NewFiles"]


class NewFiles:
    """Files and folders that were made in a folder after this object was.

    Args:
        folder: The folder, which may not be there yet.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._had = set(folder.iterdir()) if folder.is_dir() else None

    def remove(self) -> None:
        """Remove the new entries, and the folder if that is new.

        An entry that cannot be removed stays without an error, which would hide why the run does not start.
        """
        if self._had is None:
            shutil.rmtree(self._folder, ignore_errors=True)
            return
        for path in set(self._folder.iterdir()) - self._had:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
