"""openbell: declare what a trading session needs; openbell proves the data is there, provisions it and runs it.

What ``__all__`` lists is the public face. Each name is imported when it is first used, so that ``import openbell``
loads neither polars nor calendars nor TA-Lib.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openbell import indicators
    from openbell.bars import Bar, Bars
    from openbell.config import IndicatorConfig, SessionConfig, load_config
    from openbell.crosssection import CrossSection
    from openbell.data.manager import DataManager
    from openbell.data.store import BarStore
    from openbell.errors import OpenbellError
    from openbell.observer import SessionObserver
    from openbell.runfolder import RunFolder
    from openbell.scanners import Scanner, ScannerContext
    from openbell.session import BarIntervalData, IndicatorData, SessionData
    from openbell.strategies import Signal, Strategy, StrategyContext
    from openbell.system import SystemManager
    from openbell.timing import TimeManager

    __version__: str

__all__ = [
    "Bar",
    "BarIntervalData",
    "BarStore",
    "Bars",
    "CrossSection",
    "DataManager",
    "IndicatorConfig",
    "IndicatorData",
    "OpenbellError",
    "RunFolder",
    "Scanner",
    "ScannerContext",
    "SessionConfig",
    "SessionData",
    "SessionObserver",
    "Signal",
    "Strategy",
    "StrategyContext",
    "SystemManager",
    "TimeManager",
    "indicators",
    "load_config",
]

_HOMES = {
    "openbell.bars": ("Bar", "Bars"),
    "openbell.config": ("IndicatorConfig", "SessionConfig", "load_config"),
    "openbell.crosssection": ("CrossSection",),
    "openbell.data.manager": ("DataManager",),
    "openbell.data.store": ("BarStore",),
    "openbell.errors": ("OpenbellError",),
    "openbell.observer": ("SessionObserver",),
    "openbell.runfolder": ("RunFolder",),
    "openbell.scanners": ("Scanner", "ScannerContext"),
    "openbell.session": ("BarIntervalData", "IndicatorData", "SessionData"),
    "openbell.strategies": ("Signal", "Strategy", "StrategyContext"),
    "openbell.system": ("SystemManager",),
    "openbell.timing": ("TimeManager",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

if not TYPE_CHECKING:  # for a type checker, a name that is not imported above is an error

    def __getattr__(name: str) -> object:
        if name == "indicators":
            return import_module("openbell.indicators")
        if name == "__version__":
            return import_module("importlib.metadata").version("openbell")
        if name not in _HOME_OF:
            raise AttributeError(f"module 'openbell' has no attribute {name!r}")
        found = globals()[name] = getattr(import_module(_HOME_OF[name]), name)
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__, "__version__"})
