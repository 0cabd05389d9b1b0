"""The label of a store, one line on what its bars are, such as that they are synthetic."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["LABEL", "read_label"]

LABEL = "LABEL.txt"
"""The file in the store's folder; its first line is the label. A store without it has none."""


def read_label(store: Path) -> str | None:
    """Return the label of the store in a folder; None when it has none."""
    try:
        first_line, _, _ = (store / LABEL).read_text(encoding="utf-8").partition("\n")
    except (FileNotFoundError, NotADirectoryError):
        return None
    return first_line.strip() or None
