"""Refusal of arithmetic and comparison by objects that hold values."""

from __future__ import annotations

from numbers import Number
from typing import NoReturn

import numpy as np

__all__ = ["NotANumber"]


class NotANumber:
    """Base of objects that are easily mistaken for their value.

    Arithmetic, ordering, conversion and comparison with numbers raise TypeError. ``==`` with other objects compares
    identity.
    """

    __slots__ = ()
    __array_ufunc__ = None  # so that NumPy's numbers leave the operation to this class

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError(f"{self!r} is not a number: use .value (None until it is valid), or .values for the array")

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Number | np.ndarray):
            self._refuse()
        return self is other

    def __format__(self, spec: str) -> str:
        if spec:
            self._refuse()
        return str(self)

    def __hash__(self) -> int:
        return id(self)

    __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __add__ = __sub__ = __mul__ = __truediv__ = __floordiv__ = __mod__ = __pow__ = __divmod__ = _refuse
    __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rfloordiv__ = __rmod__ = __rpow__ = __rdivmod__ = _refuse
    __neg__ = __pos__ = __abs__ = __round__ = __float__ = __int__ = __complex__ = __index__ = _refuse
    __array__ = _refuse
