"""Command ``openbell view``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openbell.cli.data.options import RunStore
from openbell.cli.named_run import DEFAULT_PLACE, run_places
from openbell.cli.terminal.console import say, show
from openbell.cli.terminal.printable import escape
from openbell.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["view"]

_PORT = 8765


def view(
    runs: Annotated[
        Path | None,
        typer.Argument(help="The folder that holds the runs; runs, and the runs in folders here, unless given."),
    ] = None,
    store: RunStore = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes any that is free.")] = _PORT,
    host: Annotated[
        str, typer.Option(help="Another address than this machine's own. Pages then take a token.")
    ] = "127.0.0.1",
    *,
    in_browser: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
) -> None:
    """Show runs, their sessions and a store in the browser, served on this machine alone."""
    places = _places(runs)
    try:
        from openbell.view.server import ViewServer
    except ModuleNotFoundError as error:
        if error.name not in ("starlette", "uvicorn"):
            raise
        raise ConfigError(
            f"openbell view needs {error.name}, which is not installed: pip install 'openbell[view]'."
        ) from error
    server = ViewServer(places, store=store, host=host, port=port)
    show(escape(server.address))
    say("Ctrl-C ends it.")
    if in_browser:
        import webbrowser

        if not webbrowser.open(server.address):
            say(f"no browser was found: open {server.address} yourself.")
    server.serve()


def _places(runs: Path | None) -> Callable[[], Sequence[Path]]:
    """Return a function that finds the folders of runs anew at each call."""
    if runs is None:
        return lambda: run_places() or [DEFAULT_PLACE]
    if not runs.is_dir():
        raise ConfigError(f"there is no folder {runs}. Name the folder that holds the runs.")
    inside = runs / DEFAULT_PLACE
    return lambda: [inside if inside.is_dir() else runs]
