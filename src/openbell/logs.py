"""Structured log on stderr, as readable text or as JSON lines.

Events carry the session time as a field of their own where they have one. There is no time stamp from the machine's
clock, which would mean nothing in a backtest, and which only `openbell.timing` reads.
"""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openbell.errors import printable

if TYPE_CHECKING:
    import structlog.typing

__all__ = ["configure_logs", "get_logger", "log_choice", "logs_what_happens", "quieten_logs", "settle_logs"]

_LONGEST = 2_000
_LONGEST_TRACEBACK = 100_000
_LONGEST_IN_JSON = 20_000
_LEVELS = (logging.ERROR, logging.WARNING, logging.INFO, logging.DEBUG)


@dataclass(slots=True)
class _Settings:
    """Settings of the log, and whether structlog is configured with them."""

    verbosity: int = 0
    as_json: bool = False
    is_chosen: bool = False
    is_applied: bool = False


_settings = _Settings()


def configure_logs(verbosity: int = 0, *, as_json: bool = False) -> None:
    """Choose how the process logs.

    Args:
        verbosity: -1 shows errors only, 0 warnings, 1 what happens in a session, 2 or more everything.
        as_json: Whether each event is logged as a line of JSON, and not as readable text.
    """
    # Applied when the first logger is asked for, because structlog takes long to import.
    _settings.verbosity, _settings.as_json = verbosity, as_json
    _settings.is_chosen, _settings.is_applied = True, False


def log_choice() -> tuple[int, bool]:
    """Return the current arguments of `configure_logs`, to pass to another process."""
    return _settings.verbosity, _settings.as_json


def quieten_logs() -> None:
    """Log errors only, unless more than warnings are logged.

    For callers that make many runs of one config, and report each of their warnings once themselves.
    """
    if _settings.verbosity == 0:
        configure_logs(-1, as_json=_settings.as_json)


def _apply() -> None:
    import structlog

    last: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, _cut_texts, structlog.processors.JSONRenderer(default=str)]
        if _settings.as_json
        else [
            structlog.processors.format_exc_info,
            structlog.processors.StackInfoRenderer(),
            _without_codes,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0),
        ]
    )
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, structlog.processors.add_log_level, *last],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[min(_settings.verbosity + 1, len(_LEVELS) - 1)]),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    _settings.is_applied = True


class _Shown:
    """The representation of a value other than a text, shortened and with terminal codes escaped."""

    def __init__(self, value: object) -> None:
        try:
            self._text = printable(repr(value), _LONGEST)
        except Exception as error:  # noqa: BLE001 -- a user's class may raise anything where it is to be shown
            self._text = f"<{type(value).__name__} that cannot be shown: {type(error).__name__}>"

    def __repr__(self) -> str:
        return self._text


def _without_codes(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return {printable(str(key), _LONGEST): _shown(key, value) for key, value in event.items()}


def _cut_texts(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return {_cut(key): _cut(value) for key, value in event.items()}


def _cut(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= _LONGEST_IN_JSON else f"{value[:_LONGEST_IN_JSON]}..."
    if isinstance(value, dict):
        return {_cut(key): _cut(item) for key, item in value.items()}
    return [_cut(item) for item in value] if isinstance(value, list | tuple) else value


def _shown(key: str, value: object) -> object:
    if isinstance(value, str):
        traceback = key in ("exception", "stack")
        return printable(value, _LONGEST_TRACEBACK if traceback else _LONGEST, lines=traceback)
    return value if value is None or isinstance(value, bool | int | float) else _Shown(value)


def get_logger(**fields: Any) -> structlog.typing.FilteringBoundLogger:
    """Make a logger whose every event carries ``fields``.

    For example ``get_logger(component="coordinator").info("session open")``. Unless `configure_logs` chose otherwise,
    the logger shows warnings, and a configuration of structlog by the program itself is left as it is.
    """
    import structlog

    if not _settings.is_applied and (_settings.is_chosen or not structlog.is_configured()):
        _apply()
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger(**fields)
    return logger


def settle_logs() -> None:
    """Apply the settings if structlog is imported, for strategies that log through it directly."""
    if _settings.is_chosen and not _settings.is_applied and "structlog" in sys.modules:
        _apply()


def logs_what_happens() -> bool:
    """Return whether the log shows the events of a session, not only warnings."""
    return _settings.verbosity > 0
