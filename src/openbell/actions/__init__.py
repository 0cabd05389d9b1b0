"""Splits, cash dividends and renames, stored beside raw bars."""

from __future__ import annotations

from openbell.actions.store import ActionStore
from openbell.actions.table import ACTION_SCHEMA, ADJUSTMENTS, Action, Adjustment

__all__ = ["ACTION_SCHEMA", "ADJUSTMENTS", "Action", "ActionStore", "Adjustment"]
