"""Corporate actions: splits, cash dividends and changes of name, kept beside the raw bars and applied by the day."""

from __future__ import annotations

from openbell.actions.store import ActionStore
from openbell.actions.table import ACTION_SCHEMA, ADJUSTMENTS, Action, Adjustment

__all__ = ["ACTION_SCHEMA", "ADJUSTMENTS", "Action", "ActionStore", "Adjustment"]
