"""Choice of the sessions to replay in order to see one of them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from openbell.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from openbell.config import SessionConfig

__all__ = ["asked_day", "first_to_play"]

_NO_STATE = "{}"


def asked_day(day: date | str) -> date:
    """Return the day that a date or ISO text names.

    Raises:
        ConfigError: The text is no date.
    """
    if not isinstance(day, str):
        return day
    try:
        return date.fromisoformat(day)
    except ValueError:
        raise ConfigError(f"{day!r} is not a day. Write it as 2024-03-11.") from None


def first_to_play(config: SessionConfig, days: Sequence[date], day: date, states: Mapping[str, str]) -> date:
    """Return the first session to replay, for the given one to come out as in the run.

    Args:
        config: The config of the run.
        days: Its sessions.
        day: The session that is asked for.
        states: The states of its strategies at any time after the session, as JSON text.

    Raises:
        ConfigError: The day is no session of the run.
    """
    if day not in days:
        span = f"its {len(days)} sessions are from {days[0]} to {days[-1]}" if days else "it has none"
        raise ConfigError(f"the run has no session of {day}: {span}.")
    depends_on_earlier = config.execution is not None or any(text != _NO_STATE for text in states.values())
    return days[0] if depends_on_earlier else day
