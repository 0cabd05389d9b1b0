"""Scanners and strategies of a session, as a config names them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from openbell.config.fields import ClockTime, IntradayInterval, symbol_list
from openbell.config.strict_model import StrictModel

__all__ = ["NAME_PATTERN", "ComponentConfig", "ScannerConfig", "ScheduleConfig", "StrategyConfig", "with_names"]

NAME_PATTERN = r"^\w[\w. -]*$"
"""Pattern of names, of letters, digits, blanks, dots, dashes and underscores."""


class ScheduleConfig(StrictModel):
    """Times at which a scanner runs in a session.

    It runs at start, and then again each time that the interval ``every`` has passed, up to end. An end before start is
    on the following date, in sessions that trade over midnight.
    """

    start: ClockTime
    """The first run, in exchange time."""
    end: ClockTime
    """No run is later than this, in exchange time."""
    every: IntradayInterval
    """The time between runs."""


def _refuse_class(value: object) -> object:
    """Refuse a class where a config names it.

    Raises:
        ValueError: It is a class; the message has its name.
    """
    if isinstance(value, type):
        name = value.__qualname__.rpartition(".")[2]
        raise ValueError(
            f'is the class {name} itself, and a config names it: write {{"module": "{value.__module__}:{name}"}}, or '
            f'"file.py:{name}" for one in a file.'
        )
    return value


class ComponentConfig(StrictModel):
    """A class of the user, with its own config."""

    module: Annotated[str, BeforeValidator(_refuse_class), Field(strict=True)]
    """Where the class is: "package.module:Class", or "file.py:Class" relative to the config file."""
    config: dict[str, Any] = Field(default_factory=dict)
    """What the class finds in its context; free in form."""

    @model_validator(mode="before")
    @classmethod
    def _is_no_class(cls, entry: object) -> object:
        return _refuse_class(entry)

    @field_validator("module")
    @classmethod
    def _names_a_class(cls, module: str) -> str:
        place, colon, name = module.strip().rpartition(":")
        if not (colon and place and name.isidentifier()):
            raise ValueError(f'{module!r} does not name a class. Write "module:Class" or "file.py:Class".')
        return module.strip()


class StrategyConfig(ComponentConfig):
    """A strategy."""

    name: Annotated[str, Field(pattern=NAME_PATTERN, strict=True)] | None = None
    """What it is called in orders, state and reports: letters, digits, blanks, dots, dashes and underscores. The class
    unless given, and class-2, class-3 ... for further entries of it."""

    @property
    def class_name(self) -> str:
        """Name of the class."""
        return self.module.rpartition(":")[2]


def with_names(strategies: tuple[StrategyConfig, ...]) -> tuple[StrategyConfig, ...]:
    """Name the strategies that have no name, after their classes.

    Raises:
        ValueError: Two strategies have the same name.
    """
    seen: dict[str, int] = {}
    entries: Counter[str] = Counter()
    named = []
    for at, strategy in enumerate(strategies):
        entries[strategy.class_name] += strategy.name is None
        number = entries[strategy.class_name]
        name = strategy.name or (strategy.class_name if number == 1 else f"{strategy.class_name}-{number}")
        first = seen.setdefault(name, at)
        if first != at:
            raise ValueError(f"entries {first} and {at} are both called {name}. Give each a name: of its own.")
        entry = strategy.model_copy(update={"name": name})
        if strategy.name is None:
            entry.model_fields_set.discard("name")  # not written by the user, but derived from the class
        named.append(entry)
    return tuple(named)


def _read_universe(value: object) -> object:
    if value and isinstance(value, str):
        return Path(value)
    return value if isinstance(value, Path) or value in ((), []) else symbol_list(value)


class ScannerConfig(ComponentConfig):
    """A scanner, its schedule and its universe."""

    universe: Annotated[
        tuple[str, ...] | Path,
        BeforeValidator(_read_universe),
    ] = ()
    """The symbols that it looks through: a list, or a file (.txt, .csv or .json) relative to the config file."""
    schedule: tuple[ScheduleConfig, ...] = ()
    """When it runs in the session."""
    pre_session: Annotated[bool, Field(strict=True, validate_default=True)] = False
    """Whether it runs once before the open."""

    @field_validator("pre_session")
    @classmethod
    def _runs_at_all(cls, pre_session: bool, info: ValidationInfo) -> bool:
        if not pre_session and info.data.get("schedule") == ():
            raise ValueError("the scanner would never run. Set pre_session: true, or give it a schedule.")
        return pre_session
