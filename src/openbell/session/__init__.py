"""State of one session, seen up to the session clock."""

from openbell.session.data import SessionData
from openbell.session.indicator import IndicatorData
from openbell.session.series import BarIntervalData
from openbell.session.symbol import SymbolSessionData

__all__ = ["BarIntervalData", "IndicatorData", "SessionData", "SymbolSessionData"]
