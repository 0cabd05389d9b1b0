"""Setting of glibc's malloc, so that large freed blocks go back to the system."""

from __future__ import annotations

import contextlib
import ctypes
import sys

__all__ = ["return_large_blocks"]

_MMAP_THRESHOLD = -3
"""The number of glibc's ``M_MMAP_THRESHOLD``."""
_LARGE_BYTES = 1_000_000


def return_large_blocks() -> None:
    """Let glibc, if it is the C library, return large blocks to the system when they are freed."""
    # The columns of all symbols grow a little each minute, so that none fits where the last one lay. By default glibc
    # takes ever larger blocks from its heap, which leaves holes: 0.14 MB a minute of 500 symbols in place of 0.07.
    if sys.platform.startswith("linux"):
        with contextlib.suppress(AttributeError):  # another C library
            ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, _LARGE_BYTES)
