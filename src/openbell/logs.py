"""How openbell logs: structured events on stderr, for people or as JSON lines.

Events carry session time as a field of their own where they have one. There is no time stamp from the machine's clock:
in a backtest it would tell nothing, and only `openbell.timing` reads that clock.
"""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import structlog.typing

__all__ = ["configure_logs", "get_logger", "logs_what_happens", "settle_logs"]

_LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)


@dataclass(slots=True)
class _Wanted:
    """How to log, whether somebody said so, and whether structlog knows."""

    verbosity: int = 0
    as_json: bool = False
    is_said: bool = False
    is_set_up: bool = False


_wanted = _Wanted()


def configure_logs(verbosity: int = 0, *, as_json: bool = False) -> None:
    """Say how the process logs. It is set up when the first logger is asked for: structlog takes its time to import.

    Args:
        verbosity: 0 shows warnings, 1 what happens in a session, 2 or more everything.
        as_json: One JSON object a line, in place of lines for people.
    """
    _wanted.verbosity, _wanted.as_json = verbosity, as_json
    _wanted.is_said, _wanted.is_set_up = True, False


def _set_up() -> None:
    import structlog

    last: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
        if _wanted.as_json
        else [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)]
    )
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, structlog.processors.add_log_level, *last],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[min(_wanted.verbosity, len(_LEVELS) - 1)]),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    _wanted.is_set_up = True


def get_logger(**fields: Any) -> structlog.typing.FilteringBoundLogger:
    """A logger whose every event carries ``fields``: ``get_logger(component="coordinator").info("session open")``.

    Unless `configure_logs` said otherwise, it shows warnings; a set-up of structlog that a program made itself stays.
    """
    import structlog

    if not _wanted.is_set_up and (_wanted.is_said or not structlog.is_configured()):
        _set_up()
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger(**fields)
    return logger


def settle_logs() -> None:
    """Set logging up if structlog is imported already: a strategy that logs through it directly obeys, too."""
    if _wanted.is_said and not _wanted.is_set_up and "structlog" in sys.modules:
        _set_up()


def logs_what_happens() -> bool:
    """Whether the log shows more than warnings, as `configure_logs` was told."""
    return _wanted.verbosity > 0
