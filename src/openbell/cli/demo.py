"""The command ``openbell demo``."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from openbell.cli.terminal.console import show

if TYPE_CHECKING:
    from openbell.demo import DemoFolder

__all__ = ["demo"]


def demo(
    folder: Annotated[Path, typer.Option("--out", help="Where the sample store, the config and the runs go.")] = Path(
        "openbell-demo"
    ),
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the run's summary.json.")] = False,
) -> None:
    """Make a store of SYNTHETIC bars and a config beside it, show the plan, and run the sessions."""
    from openbell.cli.output.plan_view import plan_views
    from openbell.cli.run import Shown, run_and_show
    from openbell.config import load_config
    from openbell.engine.system import SystemManager
    from openbell.results.folder.run_folder import RunFolder

    made = _make(folder)
    config = load_config(made.config)
    if not as_json:
        _introduce(made)
        for view in plan_views(SystemManager(config).plan()):
            show(view)
        show()
    run_folder = made.path / RunFolder.default_path(config.session_name)
    run_and_show(made.config, None, run_folder, Shown(as_json), bars=False, indicators=False)


def _make(folder: Path) -> DemoFolder:
    """Make the demo's folder with a progress bar, or return an existing one."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from openbell.cli.terminal.console import err
    from openbell.demo import SYNTHETIC, make_demo_folder

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(f"making {SYNTHETIC}", total=None)
        return make_demo_folder(folder, lambda done, of: bar.update(task, completed=done, total=of))


def _introduce(made: DemoFolder) -> None:
    from openbell.demo import SYNTHETIC
    from openbell.store.store import BarStore

    coverage = BarStore.open(made.store).coverage()
    symbols = len({entry.symbol for entry in coverage})
    spans = {entry.interval: f"{entry.interval} from {entry.first:%Y-%m-%d}" for entry in coverage}
    state = "made now" if made.made else "made before"
    show(f"[bold magenta]{SYNTHETIC}[/]: made-up symbols with generated prices, to show what openbell does")
    show(f"  store   {made.store}: {symbols} symbols, {', '.join(spans.values())}; {state}")
    show(f"  config  {made.config}: edit it, then openbell run {quote(str(made.config))}")
    show()
