"""Views of columns for user code, which do not lead to the bars after them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar, cast

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["opaque"]

Scalar = TypeVar("Scalar", bound=np.generic)


class _View(Protocol):
    def __call__(self, column: NDArray[Scalar], /) -> NDArray[Scalar]: ...


# Of all that NumPy offers, DLPack alone makes an array whose base exports no buffer. A function of ours around it would
# take a quarter more time.
opaque = cast("_View", np.from_dlpack)
"""Return a read-only view of a read-only column, or of a slice of one, for user code.

A view of NumPy's has the array it was cut from as its ``base``, and so leads to the bars after it; and where its base
can be written, so can it. The base of this one is a capsule without attributes: it leads to no other value, and nobody
can make it writable. The memory stays as long as the view does, and may lie in a buffer with room for bars to come.
"""
