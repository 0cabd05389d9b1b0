"""Views of columns for user code, through which no later bars can be reached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar, cast

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["opaque"]

Scalar = TypeVar("Scalar", bound=np.generic)


class _View(Protocol):
    def __call__(self, column: NDArray[Scalar], /) -> NDArray[Scalar]: ...


# Only through DLPack does NumPy make an array whose base exports no buffer. A wrapper function would take a quarter
# more time.
opaque = cast("_View", np.from_dlpack)
"""Return a read-only view of a read-only column, or of a slice of one, for user code.

An ordinary NumPy view has the array that it was cut from as its ``base``: user code could reach later bars through it,
and make the view writable when the base is. The base of an opaque view is a capsule without attributes, which leads to
no other value and cannot be made writable. The view keeps its memory alive, which may lie in a buffer with room for
later bars.
"""
