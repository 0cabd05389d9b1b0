"""Import TA-Lib without importing pandas.

TA-Lib imports pandas wherever that is installed, which doubles the time and the memory that a short run takes. It uses
only the classes Series and DataFrame of pandas, to recognise them in arguments and to return them. While TA-Lib is
imported, stand-ins take the place of these classes, and look for the real ones when they are used. So a user's
``talib.SMA(series)`` does what it always does, whichever of TA-Lib, pandas and openbell was imported first.
"""

from __future__ import annotations

import sys
from importlib import import_module
from threading import RLock
from types import ModuleType
from typing import Any

__all__ = ["talib_module"]

_IMPORTING = RLock()


def talib_module() -> ModuleType:
    """Return the package ``talib``, imported without pandas unless either is imported already."""
    with _IMPORTING:
        if "talib" in sys.modules or "pandas" in sys.modules:
            return import_module("talib")
        # TA-Lib imports polars, which looks for pandas, too; imported first, it does not find the stand-ins.
        import_module("polars")
        sys.modules["pandas"] = _PandasStandIn("pandas")
        try:
            return import_module("talib")
        finally:
            del sys.modules["pandas"]


class _RealClass(type):
    """Metaclass of a stand-in for the class of the same name in pandas."""

    def __instancecheck__(cls, instance: object) -> bool:
        pandas = sys.modules.get("pandas")  # nothing is a Series as long as nobody has imported pandas
        return pandas is not None and isinstance(instance, getattr(pandas, cls.__name__))

    def __call__(cls, *args: Any, **values: Any) -> Any:
        return getattr(import_module("pandas"), cls.__name__)(*args, **values)


class _PandasStandIn(ModuleType):
    """Module that TA-Lib finds in place of pandas."""

    class Series(metaclass=_RealClass):
        """Stand-in for pandas.Series."""

    class DataFrame(metaclass=_RealClass):
        """Stand-in for pandas.DataFrame."""
