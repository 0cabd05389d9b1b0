"""Reading of a session config from a YAML, JSON or TOML file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import ValidationError

from openbell.config.bounds import MOST_CHARACTERS, require_bounds
from openbell.config.error_messages import problems_of
from openbell.config.exchange import Exchange
from openbell.config.key_path import with_value
from openbell.config.models import SessionConfig
from openbell.config.sound_parts import sound_parts
from openbell.config.strict_model import StrictModel
from openbell.config.sweep import SweepConfig
from openbell.config.yaml12 import lines_of_yaml, read_yaml
from openbell.errors import ConfigError, InvalidConfigError, printable, shortened
from openbell.model.address import StoreAddress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from openbell.config.error_messages import Place, Problem
    from openbell.config.exchange import ExchangeConfig
    from openbell.config.sound_parts import SoundParts

__all__ = [
    "load_config",
    "load_exchange",
    "load_sound_parts",
    "problems_with_lines",
    "read_exchange",
    "read_sweep",
    "varied",
]

_YAML = (".yaml", ".yml")
_MOST_OF_A_REASON = 500


def load_config(source: str | Path | Mapping[str, Any]) -> SessionConfig:
    """Read and validate a session config.

    Args:
        source: A file (.yaml, .yml, .json or .toml), or the values themselves.

    Returns:
        The config; ``store`` is made absolute, starting from the file's folder.

    Raises:
        ConfigError: The file is not there or cannot be read, or values in it are wrong; the message names all of them.
    """
    if not isinstance(source, str | Path):
        return _validated(dict(source), "config", dict)
    path = Path(source)
    values, text = _read(path)
    config = _validated(values, str(path), lambda: _lines_of(text, path))
    _note_source(config, path, text)
    return _with_full_store(config)


def load_sound_parts(path: Path) -> SoundParts | None:
    """Read what can be read of a config file of which `load_config` says that parts of it are wrong.

    Raises:
        ConfigError: The file cannot be read, or its values exceed the bounds of a config.
    """
    values, text = _read(path)
    require_bounds(values, str(path))
    parts = sound_parts(values)
    if parts is not None:
        _note_source(parts.config, path, text)
    return parts


def _note_source(config: SessionConfig, path: Path, text: str) -> None:
    config._given_path, config._source_path, config._text = path, path.resolve(), text  # noqa: SLF001  known only here


def _with_full_store(config: SessionConfig) -> SessionConfig:
    """Return a config whose store is an address, or a path that starts from the folder of its file."""
    if config.store is None or isinstance(config.store, StoreAddress):
        return config
    store = config.folder / config.store.expanduser()
    # Messages show the path: /home/me/store rather than /home/me/configs/../store.
    return config.with_store(store.resolve() if ".." in store.parts else store)


class _OnlyExchange(StrictModel):
    """Config of which only the exchange is read."""

    exchange: Exchange
    """The exchange's calendar, or own sessions."""


def load_exchange(path: str | Path) -> str | ExchangeConfig:
    """Read the exchange of a session config, or of a file that has nothing else.

    Returns:
        Its name or its own sessions; XNYS for a session config without one.

    Raises:
        ConfigError: The file is not there or cannot be read, or describes no exchange.
    """
    path = Path(path)
    values, text = _read(path)
    if "exchange" in values:
        return _exchange_of(values["exchange"], str(path), lambda: _lines_of(text, path))
    if values.keys() & SessionConfig.model_fields.keys():
        return "XNYS"
    raise ConfigError(f"{path} names no exchange: write its name, or own sessions, under the key exchange.")


def read_exchange(text: str) -> str | ExchangeConfig:
    """Read own sessions from YAML or JSON, written as under ``exchange`` in a config.

    Raises:
        ConfigError: It cannot be read, or describes no exchange.
    """
    return _exchange_of(_read_yaml(text, Path("exchange")), "exchange", dict)


def _exchange_of(value: Any, subject: str, read_lines: Callable[[], dict[Place, int]]) -> str | ExchangeConfig:
    require_bounds(value, subject)
    try:
        return _OnlyExchange.model_validate({"exchange": value}).exchange
    except ValidationError as error:
        raise InvalidConfigError(subject, _with_lines(problems_of(error, _OnlyExchange), read_lines())) from None


def _read(path: Path) -> tuple[dict[str, Any], str]:
    """Read a file, and return its values and its text."""
    text = _text_of(path)
    values = _READERS[path.suffix.lower()](text, path)
    if not isinstance(values, dict):
        raise ConfigError(f"{path} holds no config: it must be a mapping of keys. See: openbell schema")
    return values, text


def _validated(values: dict[str, Any], subject: str, read_lines: Callable[[], dict[Place, int]]) -> SessionConfig:
    require_bounds(values, subject)
    try:
        return SessionConfig.model_validate(values)
    except ValidationError as error:
        raise InvalidConfigError(subject, _with_lines(problems_of(error, SessionConfig), read_lines())) from None


def read_sweep(values: Mapping[str, Any], subject: str) -> SweepConfig:
    """Read the values under ``sweep`` in a config.

    Args:
        values: The values.
        subject: Where they come from, for the message.

    Raises:
        ConfigError: Values are wrong; the message names all of them.
    """
    require_bounds(dict(values), subject)
    try:
        return SweepConfig.model_validate(values)
    except ValidationError as error:
        raise InvalidConfigError(subject, map(str, problems_of(error, SweepConfig))) from None


def varied(config: SessionConfig, changes: Mapping[Place, Any]) -> SessionConfig:
    """Return a config without its sweep and with other values at some places, as if written there.

    Raises:
        ConfigError: A place does not exist, or the values are wrong; the message names all of them.
    """
    values = config.written()
    for place, value in changes.items():
        try:
            values = with_value(values, place, value)
        except ValueError as error:
            raise InvalidConfigError(config.display_name, [str(error)]) from None
    found = _validated(values, config.display_name, dict)
    found._given_path, found._source_path, found._text = (  # noqa: SLF001  known only here
        config._given_path,  # noqa: SLF001
        config._source_path,  # noqa: SLF001
        config._text,  # noqa: SLF001
    )
    if ("store",) not in changes:
        return found if config.store is None else found.with_store(config.store)
    return _with_full_store(found)


def problems_with_lines(problems: Iterable[Problem], config: SessionConfig) -> list[str]:
    """Return the texts of problems with their lines in the config's file, sorted by line."""
    path = config.source_path
    return _with_lines(problems, {} if path is None else _lines_of(config._text, path))  # noqa: SLF001


def _with_lines(problems: Iterable[Problem], lines: Mapping[Place, int]) -> list[str]:
    found = sorted(((_line_of(p.place, lines), str(p)) for p in problems), key=lambda one: one[0])
    return [f"{text} (line {line})" if line else text for line, text in found]


def _lines_of(text: str, path: Path) -> dict[Place, int]:
    return lines_of_yaml(text) if path.suffix.lower() in _YAML else {}


def _line_of(place: Place, lines: Mapping[Place, int]) -> int:
    """Return the line of a place, or of the nearest level around it (0 when no line is known)."""
    return next((lines[place[:n]] for n in range(len(place), 0, -1) if place[:n] in lines), 0)


def _text_of(path: Path) -> str:
    if path.suffix.lower() not in _READERS:
        raise ConfigError(
            f"{path}: a config is a {', '.join(_READERS)} file, not {path.suffix or 'a file without suffix'}"
        )
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(MOST_CHARACTERS + 1)
    except FileNotFoundError:
        near = sorted(p.name for p in path.parent.glob("*") if p.suffix.lower() in _READERS)[:5]
        raise ConfigError(f"{path} is not there.{' In its folder: ' + ', '.join(near) + '.' if near else ''}") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    if len(text) > MOST_CHARACTERS:
        raise ConfigError(f"{path} has more than {MOST_CHARACTERS:,} characters, too many for a config")
    return text


def _read_yaml(text: str, path: Path) -> object:
    try:
        return read_yaml(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigError(
            f"{path}{where}: {printable(str(error.problem or error.context), _MOST_OF_A_REASON)}"
        ) from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not YAML: {error}") from None


def _read_json(text: str, path: Path) -> object:
    def distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, value in pairs:
            if key in values:
                raise ConfigError(f"{path}: the key {shortened(key)} occurs twice")
            values[key] = value
        return values

    try:
        return json.loads(text, object_pairs_hook=distinct)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path}, line {error.lineno}, column {error.colno}: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise _unreadable(path, error) from None


def _read_toml(text: str, path: Path) -> object:
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {printable(str(error), _MOST_OF_A_REASON)}") from None
    except (ValueError, RecursionError) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: ValueError | RecursionError) -> ConfigError:
    """Return the error for values that are nested too deep, or for a number with too many digits."""
    deep = isinstance(error, RecursionError)
    return ConfigError(f"{path}: {'values nested too deep' if deep else f'a number that is too long ({error})'}")


_READERS = {**dict.fromkeys(_YAML, _read_yaml), ".json": _read_json, ".toml": _read_toml}
