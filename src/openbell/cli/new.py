"""The command ``openbell new``."""

from __future__ import annotations

import json
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from openbell.cli.terminal.console import show
from openbell.cli.terminal.printable import escape
from openbell.errors import ConfigError
from openbell.examples.scaffold import Kind, files_of, module_name
from openbell.model.address import Place, StoreAddress, place_of

if TYPE_CHECKING:
    from datetime import date

    from openbell.store.store import BarStore
    from openbell.timing import TimeManager

__all__ = ["new"]

_DEMO = Path("openbell-demo")
_MOST_SYMBOLS, _MOST_OF_UNIVERSE, _SESSIONS = 3, 40, 3


def new(
    kind: Annotated[Kind, typer.Argument(help="strategy, scanner, indicator, or provider (a server of live bars).")],
    name: Annotated[str, typer.Argument(help="Its name, such as my_idea.")],
    folder: Annotated[Path, typer.Option("--into", help="The folder of the files.")] = Path(),
    store: Annotated[
        str | None,
        typer.Option(
            metavar="PATH", help="The store of the config; openbell-demo/store, made if need be, unless given."
        ),
    ] = None,
    exchange: Annotated[str, typer.Option(help="The calendar that the config names.")] = "XNYS",
) -> None:
    """Write a small strategy, scanner, indicator or provider with a config and a test."""
    module = module_name(name)
    if kind == "indicator":
        _require_new_indicator(module)
    values = {} if kind == "provider" else _values(folder, store, exchange)
    texts = files_of(kind, module, values)
    taken = [file for file in texts if (folder / file).exists()]
    if taken:
        raise ConfigError(f"{folder / taken[0]} is there already. Choose another name, or another folder with --into.")
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in texts.items():
        (folder / file).write_text(text, encoding="utf-8")
        show(escape(str(folder / file)))
    config, test = (quote(str(folder / file)) for file in list(texts)[1:])
    command = f"openbell check {config}" if kind == "provider" else f"openbell run {config}"
    show(f"Next: [bold]{escape(command)}[/], and its test with pytest: [bold]pytest {escape(test)}[/]")


def _require_new_indicator(module: str) -> None:
    from openbell import indicators

    if module in indicators.names():
        raise ConfigError(f"there is an indicator {module} already: openbell indicators {module}. Choose another name.")


def _values(folder: Path, store: str | None, exchange: str) -> dict[str, str]:
    """Return the values for the config as YAML, with symbols and the last sessions of the store."""
    from openbell.store.store import BarStore
    from openbell.timing import TimeManager

    place, shown = _place(folder, store)
    symbols, days = _newest(BarStore.open(place), TimeManager(exchange))
    return {
        "exchange": exchange,
        "store": json.dumps(shown),
        "first": str(days[0]),
        "last": str(days[-1]),
        "symbols": json.dumps(symbols[:_MOST_SYMBOLS]),
        "some": json.dumps(symbols[:1]),
        "universe": json.dumps(symbols[:_MOST_OF_UNIVERSE]),
    }


def _place(folder: Path, store: str | None) -> tuple[Place, str]:
    """Return the given store, or that of the demo, and the text that names it in the config."""
    from openbell.demo import make_demo_folder

    if store is None:
        made = make_demo_folder(folder / _DEMO).store
        return made, made.relative_to(folder).as_posix()
    place = place_of(store)
    if isinstance(place, StoreAddress):
        return place, str(place)
    return place.resolve(), place.resolve().as_posix()


def _newest(store: BarStore, time_manager: TimeManager) -> tuple[list[str], list[date]]:
    """Return the symbols with 1m bars up to the store's newest day, and its last sessions.

    Raises:
        ConfigError: No symbol has 1m bars.
    """
    minutes = [entry for entry in store.coverage() if entry.interval == "1m"]
    if not minutes:
        raise ConfigError(f"the store {store.path} has no 1m bars, of which these examples are made. Name another one.")
    last = max(entry.last for entry in minutes)
    symbols = [entry.symbol for entry in minutes if (last - entry.last).days < 1]
    day = time_manager.day_of(int(last.timestamp()) * 1_000_000_000)
    first = time_manager.session_before(day, _SESSIONS - 1)
    return symbols, time_manager.sessions(first, day)
