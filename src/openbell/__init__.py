"""Trading sessions that declare what they need, prove that the data is there, and run.

``__all__`` lists the public names. Each is imported at its first use, so that ``import openbell`` loads neither polars
nor calendars nor TA-Lib.
"""

from __future__ import annotations

from importlib import import_module

# As in typing, whose import takes longer than all that a command does before it listens for Ctrl-C.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from openbell import indicators
    from openbell.compat.requirements import ProvisioningRequirements, analyze_requirements
    from openbell.components.added_indicator import AddedIndicator
    from openbell.components.requirement import Requirement
    from openbell.components.scanner import Scanner, ScannerContext
    from openbell.components.strategy import Signal, Strategy, StrategyContext
    from openbell.config import IndicatorConfig, SessionConfig, load_config
    from openbell.engine.observer import SessionObserver
    from openbell.engine.system import SystemManager
    from openbell.errors import ComponentError, ConfigError, DataError, OpenbellError, OrderError, ProvisioningError
    from openbell.inspection import OpenedRun, open_run
    from openbell.logs import configure_logs, get_logger
    from openbell.market_data.data_manager import DataManager
    from openbell.model.bars import Bar, Bars
    from openbell.model.events import ProvisioningRecord, ScanEvent, SignalEvent
    from openbell.model.fill import Fill
    from openbell.model.html_page import HtmlPage
    from openbell.model.interval import Interval, parse_interval
    from openbell.model.order import Order
    from openbell.model.position import Position
    from openbell.model.trade import Trade
    from openbell.provisioning import OPERATIONS, RULES, SOURCES, STEPS, Addition, Needs, Source
    from openbell.provisioning.needs import IntervalNeed
    from openbell.results.folder.run_folder import RunFolder
    from openbell.results.measures.performance import Performance
    from openbell.results.plan_result import PlanResult
    from openbell.results.result import DayResult, RunResult
    from openbell.session import BarIntervalData, IndicatorData, SessionData
    from openbell.session.cross_section import CrossSection
    from openbell.store.store import BarStore
    from openbell.sweeps.sweep_function import sweep
    from openbell.timing import TimeManager

    __version__: str

__all__ = [
    "OPERATIONS",
    "RULES",
    "SOURCES",
    "STEPS",
    "AddedIndicator",
    "Addition",
    "Bar",
    "BarIntervalData",
    "BarStore",
    "Bars",
    "ComponentError",
    "ConfigError",
    "CrossSection",
    "DataError",
    "DataManager",
    "DayResult",
    "Fill",
    "HtmlPage",
    "IndicatorConfig",
    "IndicatorData",
    "Interval",
    "IntervalNeed",
    "Needs",
    "OpenbellError",
    "OpenedRun",
    "Order",
    "OrderError",
    "Performance",
    "PlanResult",
    "Position",
    "ProvisioningError",
    "ProvisioningRecord",
    "ProvisioningRequirements",
    "Requirement",
    "RunFolder",
    "RunResult",
    "ScanEvent",
    "Scanner",
    "ScannerContext",
    "SessionConfig",
    "SessionData",
    "SessionObserver",
    "Signal",
    "SignalEvent",
    "Source",
    "Strategy",
    "StrategyContext",
    "SystemManager",
    "TimeManager",
    "Trade",
    "analyze_requirements",
    "configure_logs",
    "get_logger",
    "indicators",
    "load_config",
    "open_run",
    "parse_interval",
    "sweep",
]

_HOMES = {
    "openbell.compat.requirements": ("ProvisioningRequirements", "analyze_requirements"),
    "openbell.components.added_indicator": ("AddedIndicator",),
    "openbell.components.requirement": ("Requirement",),
    "openbell.components.scanner": ("Scanner", "ScannerContext"),
    "openbell.components.strategy": ("Signal", "Strategy", "StrategyContext"),
    "openbell.config": ("IndicatorConfig", "SessionConfig", "load_config"),
    "openbell.engine.observer": ("SessionObserver",),
    "openbell.engine.system": ("SystemManager",),
    "openbell.errors": (
        "ComponentError",
        "ConfigError",
        "DataError",
        "OpenbellError",
        "OrderError",
        "ProvisioningError",
    ),
    "openbell.inspection": ("OpenedRun", "open_run"),
    "openbell.logs": ("configure_logs", "get_logger"),
    "openbell.market_data.data_manager": ("DataManager",),
    "openbell.model.bars": ("Bar", "Bars"),
    "openbell.model.events": ("ProvisioningRecord", "ScanEvent", "SignalEvent"),
    "openbell.model.fill": ("Fill",),
    "openbell.model.html_page": ("HtmlPage",),
    "openbell.model.interval": ("Interval", "parse_interval"),
    "openbell.model.order": ("Order",),
    "openbell.model.position": ("Position",),
    "openbell.model.trade": ("Trade",),
    "openbell.provisioning": ("OPERATIONS", "RULES", "SOURCES", "STEPS", "Addition", "Needs", "Source"),
    "openbell.provisioning.needs": ("IntervalNeed",),
    "openbell.results.measures.performance": ("Performance",),
    "openbell.results.plan_result": ("PlanResult",),
    "openbell.results.result": ("DayResult", "RunResult"),
    "openbell.results.folder.run_folder": ("RunFolder",),
    "openbell.session": ("BarIntervalData", "IndicatorData", "SessionData"),
    "openbell.session.cross_section": ("CrossSection",),
    "openbell.store.store": ("BarStore",),
    "openbell.sweeps.sweep_function": ("sweep",),
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
