"""Command ``openbell run``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple, Protocol

import typer

from openbell.cli.data.options import RunStore
from openbell.cli.terminal.console import only_json, print_json, say
from openbell.cli.terminal.stopping import exit_code_of, sigterm_as_interrupt
from openbell.engine.gc_control import exempt_from_collection
from openbell.errors import OpenbellError
from openbell.logs import logs_what_happens

if TYPE_CHECKING:
    from collections.abc import Callable

    from openbell.cli.output.run_progress import ProgressObserver
    from openbell.cli.output.run_view import RunReport
    from openbell.config import SessionConfig
    from openbell.engine.observer import SessionObserver
    from openbell.engine.system import SystemManager
    from openbell.results.folder.run_folder import RunFolder
    from openbell.results.result import RunResult

__all__ = ["MakeScreen", "MakeSystem", "Shown", "run", "run_and_show"]


def run(
    config: Annotated[Path, typer.Argument(help="The session config: .yaml, .json or .toml.")],
    store: RunStore = None,
    folder: Annotated[
        Path | None, typer.Option("--out", help="The run folder; runs/SESSION-TIME in the current folder unless given.")
    ] = None,
    jobs: Annotated[
        int,
        typer.Option(
            min=1,
            help="How many processes run sessions side by side, of a config that does not trade and keeps no state.",
        ),
    ] = 1,
    *,
    bars: Annotated[bool, typer.Option("--bars", help="Keep every session's bars in the run folder.")] = False,
    indicators: Annotated[
        bool, typer.Option("--indicators", help="Keep every session's indicators in the run folder.")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Print all of many symbols, not only those with irregularities and a count.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print summary.json.")] = False,
) -> None:
    """Run the sessions of a config and report the outcome."""
    shown = Shown(as_json=as_json, everything=everything)
    make = partial(_over_a_store, jobs=jobs, keeps_bars=bars or indicators)
    run_and_show(config, store, folder, shown, bars=bars, indicators=indicators, make=make)


class Shown(NamedTuple):
    """Form in which a run is printed.

    Attributes:
        as_json: Whether the summary is printed as JSON, and nothing else.
        everything: Whether all symbols are printed even if they are many, not only those with irregularities.
    """

    as_json: bool = False
    everything: bool = False


class MakeSystem(Protocol):
    """Makes the engine for a config, over a store or with a feed."""

    def __call__(
        self, config: SessionConfig, store: str | None, folder: Path, observers: list[SessionObserver], /
    ) -> tuple[SystemManager, Callable[[RunFolder], object]]:
        """Return the engine, and the function that runs it with a run folder."""


class MakeScreen(Protocol):
    """Makes the screen that shows a run while it is running."""

    def __call__(self, *, shown: bool) -> ProgressObserver:
        """Return the screen, visible or not."""


def _over_a_store(
    config: SessionConfig,
    store: str | None,
    folder: Path,  # noqa: ARG001 -- a backtest needs no files before its results
    observers: list[SessionObserver],
    *,
    jobs: int = 1,
    keeps_bars: bool = False,
) -> tuple[SystemManager, Callable[[RunFolder], object]]:
    from openbell.engine.system import SystemManager

    if jobs > 1:  # checked before the run folder is made
        from openbell.engine.parallel_days import require_independent_days

        require_independent_days(config, keeps_bars=keeps_bars, watches_bars=False)
    system = SystemManager(config, store=store, observer=observers)
    return system, partial(system.run, jobs=jobs)


@sigterm_as_interrupt()
def run_and_show(
    config: Path,
    store: str | None,
    folder: Path | None,
    shown: Shown,
    *,
    bars: bool,
    indicators: bool,
    make: MakeSystem = _over_a_store,
    screen: MakeScreen | None = None,
    goes_on: bool = False,
) -> None:
    """Run a config with a progress bar, and print each session as it ends.

    At the end, the run folder is named. As JSON, only the summary is printed. If the run failed, its ``error`` has the
    reason.

    Args:
        config: The file of the config.
        store: The store; that of the config unless given.
        folder: The run folder, a new one or that of a resumed run; named after session and time unless given.
        shown: The form of the output.
        bars: Whether the run folder keeps the bars of all sessions.
        indicators: Whether the run folder keeps the indicators of all sessions.
        make: Makes the engine.
        screen: Makes the screen; a progress bar unless given.
        goes_on: Whether the run is resumed.

    Raises:
        OpenbellError: The run failed; its results so far are printed already.
        typer.Exit: The run was interrupted or stopped.
    """
    run = _Run(make, screen, goes_on)
    try:
        _run_and_report(run, config, store, folder, shown, bars=bars, indicators=indicators)
    except KeyboardInterrupt as stop:
        say(run.interruption(stop))
        raise typer.Exit(exit_code_of(stop)) from stop


@dataclass
class _Run:
    """The parts of a run that exist so far, to report from when it ends or fails."""

    make: MakeSystem
    screen: MakeScreen | None = None
    goes_on: bool = False
    system: SystemManager | None = None
    folder: RunFolder | None = None
    report: RunReport | None = None

    def result(self) -> RunResult | None:
        """Return the result so far, or None when the run did not begin."""
        return self.system.summary() if self.system is not None and self.folder is not None else None

    def interruption(self, stop: KeyboardInterrupt) -> str:
        """Return a text that says where the run was interrupted or stopped."""
        result = self.result()
        if result is not None and result.error is not None:
            return result.error
        at = f"after session {result.days[-1].date}" if result and result.days else "before the first session"
        return f"{str(stop) or 'interrupted'} {at}"


def _run_and_report(
    run: _Run, config: Path, store: str | None, folder: Path | None, shown: Shown, *, bars: bool, indicators: bool
) -> None:
    try:
        with only_json(shown.as_json):
            _run_sessions(run, config, store, folder, shown, bars=bars, indicators=indicators)
    except OpenbellError as error:
        _report(run, shown.as_json, str(error))
        raise
    except KeyboardInterrupt as stop:
        _report(run, shown.as_json, run.interruption(stop))
        raise
    _report(run, shown.as_json)


def _run_sessions(
    run: _Run, config: Path, store: str | None, folder: Path | None, shown: Shown, *, bars: bool, indicators: bool
) -> None:
    # Garbage collection of the imported objects would take a fifth of the start.
    with exempt_from_collection():
        from openbell.cli.output.run_progress import ProgressObserver
        from openbell.cli.output.run_view import RunReport
        from openbell.config import load_config
        from openbell.results.folder.run_folder import RunFolder

    session = load_config(config)
    with (run.screen or ProgressObserver)(shown=not logs_what_happens()) as progress:
        report = RunReport(progress.paused, session.execution, everything=shown.everything)
        printing = [] if shown.as_json else [report]
        target = folder or RunFolder.default_path(session.session_name)
        run.system, play = run.make(session, store, target, [progress, *_log_observers(), *printing])
        report.store_label = run.system.data_manager.store.label
        run.report = report
        run.folder = RunFolder(
            target, run.system.config, keep_bars=bars, keep_indicators=indicators, goes_on=run.goes_on
        )
        if run.screen is not None:
            say(f"run folder: {target}")  # for those who stop it, or look at it, while it goes on
        play(run.folder)


def _log_observers() -> list[SessionObserver]:
    """Return the observer that logs, none if the log would show warnings only."""
    # Importing structlog takes long.
    if not logs_what_happens():
        return []
    from openbell.cli.output.run_progress import LogObserver

    return [LogObserver()]


def _report(run: _Run, as_json: bool, error: str | None = None) -> None:
    result = run.result()
    if as_json:
        print_json({**(result or {"days": []}), **({} if error is None else {"error": error})})
    elif run.report is not None and result is not None:
        run.report.finish(result)
    if run.folder is not None and run.folder.path.is_dir():  # a live run that never began has removed it
        say(f"run folder: {run.folder.path}")
