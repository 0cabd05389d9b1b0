"""Splits, cash dividends and changes of name, stored beside the raw bars and applied as of a day."""

from __future__ import annotations

from openbell.actions.store import ActionStore
from openbell.actions.table import ACTION_SCHEMA, ADJUSTMENTS, Action, Adjustment

__all__ = ["ACTION_SCHEMA", "ADJUSTMENTS", "Action", "ActionStore", "Adjustment"]
