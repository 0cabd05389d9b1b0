"""Further names of calendars, such as `US_EQUITY`, `CRYPTO` or `TSE`."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

__all__ = ["ALIASES", "OWN_CALENDARS"]

ALIASES = MappingProxyType(
    {
        "US_EQUITY": "XNYS",
        "US_OPTIONS": "XNYS",
        "US_FUTURES": "CME_GLOBEX",
        "CRYPTO": "24/7",
        "FX": "FOREX",
        "CA_EQUITY": "XTSE",
        "BR_EQUITY": "BVMF",
        "MX_EQUITY": "XMEX",
        "UK_EQUITY": "XLON",
        "DE_EQUITY": "XETR",
        "XETRA": "XETR",
        "EUREX": "XEUR",
        "FR_EQUITY": "XPAR",
        "NL_EQUITY": "XAMS",
        "IT_EQUITY": "XMIL",
        "ES_EQUITY": "XMAD",
        "CH_EQUITY": "XSWX",
        "SE_EQUITY": "XSTO",
        "JP_EQUITY": "XTKS",
        "TSE": "XTKS",
        "HK_EQUITY": "XHKG",
        "CN_EQUITY": "XSHG",
        "XSHE": "XSHG",
        "IN_EQUITY": "XBOM",
        "NSE": "XBOM",
        "XNSE": "XBOM",
        "KR_EQUITY": "XKRX",
        "KRX": "XKRX",
        "TW_EQUITY": "XTAI",
        "TWSE": "XTAI",
        "SG_EQUITY": "XSES",
        "SGX": "XSES",
        "AU_EQUITY": "XASX",
    }
)
"""openbell's aliases, beside those of exchange_calendars (NYSE, NASDAQ, LSE, HKEX, JPX, CME ...).

``TSE`` is Tokyo (Toronto is TSX, Taiwan TWSE). The National Stock Exchange of India keeps the days and hours of
Bombay's, and Shenzhen those of Shanghai.
"""

OWN_CALENDARS: MappingProxyType[str, MappingProxyType[str, Any]] = MappingProxyType(
    {
        # The week of spot currencies runs from Sunday 17:00 to Friday 17:00 in New York; a day ends at 17:00. Banks and
        # brokers quote nothing that can be traded on Christmas Day and New Year's Day.
        "FOREX": MappingProxyType(
            {
                "name": "FOREX",
                "timezone": "America/New_York",
                "open": "17:00",
                "close": "17:00",
                "holidays": ("01-01", "12-25"),
            }
        ),
        # Equity-index futures; days with other hours are in `globex`.
        "CME_GLOBEX": MappingProxyType(
            {"name": "CME_GLOBEX", "timezone": "America/Chicago", "open": "17:00", "close": "16:00"}
        ),
    }
)
"""Calendars that exchange_calendars does not have, as the values of an `openbell.config` ``ExchangeConfig``."""
