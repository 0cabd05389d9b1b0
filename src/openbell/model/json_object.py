"""Type of a JSON object, for values that are meant to be written as JSON."""

from __future__ import annotations

from typing import Any, TypeAlias

__all__ = ["JsonObject"]

JsonObject: TypeAlias = dict[str, Any]
"""A JSON object, with its keys in the order in which they are written."""
