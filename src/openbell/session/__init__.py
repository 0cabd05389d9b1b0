"""State of one session, seen up to the session clock."""

from openbell.session.data import SessionData, SymbolSessionData
from openbell.session.indicator import IndicatorData
from openbell.session.series import BarIntervalData

__all__ = ["BarIntervalData", "IndicatorData", "SessionData", "SymbolSessionData"]
