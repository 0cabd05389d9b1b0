"""The type of an object of JSON, for values that are JSON by purpose."""

from __future__ import annotations

from typing import Any, TypeAlias

__all__ = ["JsonObject"]

JsonObject: TypeAlias = dict[str, Any]
"""An object of JSON, its keys in the order in which they are written."""
