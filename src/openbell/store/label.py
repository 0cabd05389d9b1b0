"""The label of a store, one line on what its bars are, such as that they are synthetic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.errors import command_on
from openbell.store import layout
from openbell.store.atomic_files import writer_lock
from openbell.store.commit import commit, heal
from openbell.store.data_file import damaged_file
from openbell.store.layout import LABEL
from openbell.store.manifest import load_side_files
from openbell.store.side_files import side_file_problem

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["LABEL", "read_label", "write_label"]

_WAIT_S = 30.0


def read_label(store: Path) -> str | None:
    """Return the label of the store in a folder, its file's first line, or None.

    Raises:
        DamagedFileError: The label is lost or is not what was stored.
    """
    path = store / LABEL
    known = load_side_files(store).get(LABEL)
    if known is not None and (problem := side_file_problem(path, known)):
        raise damaged_file(path, problem, f"Write it again with `{command_on('data repair', store)}`.")
    try:
        first_line, _, _ = path.read_text(encoding="utf-8").partition("\n")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as exc:
        raise damaged_file(path, str(exc), "Write its text anew, or delete it.") from exc
    return first_line.strip() or None


def write_label(store: Path, text: str) -> None:
    """Label a store.

    The label is on disk when this returns.

    Raises:
        StoreError: Another process is writing, or the disk is full.
    """
    with writer_lock(store / layout.LOCK, wait_s=_WAIT_S):
        commit(store, heal(store), {}, {LABEL: text.encode()})
