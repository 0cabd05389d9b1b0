"""Indicators that compute whole columns, with exact lookback and settling.

``get`` finds one by name, ``key`` and ``parse_key`` write and read keys such as ``sma_20_5m``, ``compute`` serves
notebooks, and ``register`` adds one of your own. The registry holds TA-Lib's whole list, and openbell's own.
"""

from __future__ import annotations

from openbell.indicators import (
    activity,
    keltner,
    opening_range,
    prior_sessions,
    relative_volume,
    session_anchored,
    swings,
)
from openbell.indicators.indicator import Indicator, Lookback, Parameter
from openbell.indicators.inputs import IndicatorInputs
from openbell.indicators.on_frames import compute
from openbell.indicators.registry import REGISTRY, get, key, names, parse_key, register

__all__ = [
    "REGISTRY",
    "Indicator",
    "IndicatorInputs",
    "Lookback",
    "Parameter",
    "compute",
    "get",
    "key",
    "names",
    "parse_key",
    "register",
]

_OWN = (activity, keltner, opening_range, prior_sessions, relative_volume, session_anchored, swings)
"""The modules of openbell's own indicators; importing one registers them."""
