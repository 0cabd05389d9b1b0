"""`openbell run`: runs the sessions of a config and leaves a run folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openbell.cli.console import out, print_json, say

if TYPE_CHECKING:
    from openbell.config import SessionConfig

__all__ = ["run", "run_and_show"]


def run(
    config: Annotated[Path, typer.Argument(help="The session config: .yaml, .json or .toml.")],
    store: Annotated[Path | None, typer.Option(help="The bar store; goes before the config's store.")] = None,
    folder: Annotated[
        Path | None, typer.Option("--out", help="The run folder; runs/SESSION-TIME in the current folder unless given.")
    ] = None,
    *,
    bars: Annotated[bool, typer.Option("--bars", help="Keep every session's bars in the run folder.")] = False,
    indicators: Annotated[
        bool, typer.Option("--indicators", help="Keep every session's indicators in the run folder.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print summary.json.")] = False,
) -> None:
    """Run the sessions of a config: provision what they need, stream the bars, and tell what came of it."""
    from openbell.config import load_config

    run_and_show(load_config(config), store, folder, bars=bars, indicators=indicators, as_json=as_json)


def run_and_show(
    config: SessionConfig, store: Path | None, folder: Path | None, *, bars: bool, indicators: bool, as_json: bool
) -> None:
    """Run a config with a progress bar, print its sessions, and name the run folder at the end."""
    from openbell.cli.progress import ProgressObserver
    from openbell.cli.tables import run_views
    from openbell.runfolder import RunFolder
    from openbell.system import SystemManager

    kept = None
    try:
        with ProgressObserver() as observer:
            system = SystemManager(config, store=store, observer=observer)
            kept = RunFolder(
                folder or RunFolder.default_path(config.session_name),
                config,
                keep_bars=bars,
                keep_indicators=indicators,
            )
            summary = system.run(kept)
        if as_json:
            print_json(summary)
        else:
            timing = summary["timing"]
            for view in run_views(summary):
                out.print(view)
            out.print(f"loading {timing['load_s']:.2f} s, running {timing['run_s']:.2f} s")
    finally:
        if kept is not None:
            say(f"run folder: {kept.path}")
