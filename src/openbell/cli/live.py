"""Commands of live sessions, which are ``openbell live``, ``replay``, ``verify`` and ``stop``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from openbell.cli.data.options import RunStore
from openbell.cli.run import Shown, run_and_show
from openbell.cli.terminal.console import only_json, print_json, say
from openbell.errors import ConfigError, RunFolderError
from openbell.logs import configure_logs, log_choice, logs_what_happens

if TYPE_CHECKING:
    from collections.abc import Callable

    from openbell.cli.output.live_screen import LiveScreen
    from openbell.cli.output.run_progress import ProgressObserver
    from openbell.cli.run import MakeScreen
    from openbell.config import SessionConfig
    from openbell.engine.observer import SessionObserver
    from openbell.engine.system import SystemManager
    from openbell.live.record.verify import Difference, Verification
    from openbell.live.run import LiveRun
    from openbell.results.folder.run_folder import RunFolder

__all__ = ["live", "replay", "stop", "verify"]

_Config = Annotated[Path, typer.Argument(help="The session config: .yaml, .json or .toml.")]
_Out = Annotated[
    Path | None, typer.Option("--out", help="The run folder; runs/SESSION-TIME in the current folder unless given.")
]
_Bars = Annotated[bool, typer.Option("--bars", help="Keep every session's bars in the run folder.")]
_Indicators = Annotated[bool, typer.Option("--indicators", help="Keep every session's indicators in the run folder.")]
_Json = Annotated[bool, typer.Option("--json", help="Print summary.json.")]
_Begin: TypeAlias = "Callable[[SessionConfig, str | None, Path, list[SessionObserver]], LiveRun]"
"""Makes a live run from a config, a store, a folder and observers."""
_ANSWER_S = 5.0
"""How long ``openbell stop`` waits for a run to end."""
_FLAT_S = 150.0
"""How long it waits if the run closes its positions first, which takes a minute or two of the feed's bars."""
_Run = Annotated[Path, typer.Argument(help="The folder of a live run.")]


def live(
    config: Annotated[
        Path | None, typer.Argument(help="The session config: .yaml, .json or .toml; that of the run with --resume.")
    ] = None,
    sessions: Annotated[int, typer.Option(min=1, help="How many sessions to run, today's among them.")] = 1,
    folder: _Out = None,
    resume: Annotated[
        Path | None,
        typer.Option("--resume", help="The folder of a run that was killed or stopped, to continue it.", metavar="RUN"),
    ] = None,
    *,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Take over positions and cash as the broker has them, however they differ.")
    ] = False,
    bars: _Bars = False,
    indicators: _Indicators = False,
    as_json: _Json = False,
) -> None:
    """Run the sessions of a config as they happen, by the bars of a feed."""
    shown = Shown(as_json=as_json)
    if resume is not None:
        _resume(resume, config, shown, folder, adopts=adopt, bars=bars, indicators=indicators)
        return
    if config is None:
        raise ConfigError("which config? Write openbell live CONFIG, or openbell live --resume RUN.")

    def begin(session: SessionConfig, _: str | None, target: Path, observers: list[SessionObserver]) -> LiveRun:
        from openbell.live.start import live_run

        return live_run(session, target, sessions=sessions, adopts=adopt, observers=observers)

    _run_watched(config, None, folder, begin, shown, bars=bars, indicators=indicators)


def _resume(
    run: Path,
    config: Path | None,
    shown: Shown,
    folder: Path | None,
    *,
    adopts: bool,
    bars: bool,
    indicators: bool,
) -> None:
    """Resume a run in its folder."""
    from openbell.live.record.feed_record import recorded

    recorded(run)
    if folder is not None:
        raise ConfigError("a run continues in its own folder: leave out --out, or --resume.")

    def begin(session: SessionConfig, _: str | None, target: Path, observers: list[SessionObserver]) -> LiveRun:
        from openbell.live.start import resumed_run

        return resumed_run(target, None if config is None else session, adopts=adopts, observers=observers)

    path = run / "config.json" if config is None else config
    _run_watched(path, None, run, begin, shown, bars=bars, indicators=indicators, goes_on=True)


def replay(
    config: _Config,
    store: RunStore = None,
    speed: Annotated[
        str, typer.Option(help="How many times as fast as the clock, such as 60; max passes over all waiting.")
    ] = "max",
    folder: _Out = None,
    *,
    bars: _Bars = False,
    indicators: _Indicators = False,
    as_json: _Json = False,
) -> None:
    """Play stored sessions through the live path, at any speed."""
    times = _speed(speed)

    def begin(session: SessionConfig, given: str | None, target: Path, observers: list[SessionObserver]) -> LiveRun:
        from openbell.live.start import replay_run

        return replay_run(session, given, target, speed=times, observers=observers)

    _run_watched(config, store, folder, begin, Shown(as_json=as_json), bars=bars, indicators=indicators)


def _run_watched(
    config: Path,
    store: str | None,
    folder: Path | None,
    begin: _Begin,
    shown: Shown,
    *,
    bars: bool,
    indicators: bool,
    goes_on: bool = False,
) -> None:
    """Run a live run, with its screen and log."""
    watched, screen = _watched()

    def make(
        session: SessionConfig, given: str | None, target: Path, observers: list[SessionObserver]
    ) -> tuple[SystemManager, Callable[[RunFolder], object]]:
        return watched(begin(session, given, target, observers))

    run_and_show(
        config, store, folder, shown, bars=bars, indicators=indicators, make=make, screen=screen, goes_on=goes_on
    )


def _watched() -> tuple[Callable[[LiveRun], tuple[SystemManager, Callable[[RunFolder], object]]], MakeScreen]:
    """Return a function that connects a run to screen and log, and one that makes the screen.

    A log as JSON is made verbose enough to have all events, since programs read nothing else.
    """
    verbosity, as_json = log_choice()
    if as_json:
        configure_logs(max(verbosity, 1), as_json=True)
    screens: list[LiveScreen] = []

    def screen(*, shown: bool) -> ProgressObserver:
        from openbell.cli.output.live_screen import LiveScreen

        screens.append(LiveScreen(shown=shown))
        return screens[0]

    def watched(run: LiveRun) -> tuple[SystemManager, Callable[[RunFolder], object]]:
        if logs_what_happens():
            from openbell.cli.output.live_screen import LiveLog

            LiveLog(run.monitor)
        screens[0].watch(run.monitor)
        return run.system, run.run

    return watched, screen


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        times = float(text)
    except ValueError:
        times = 0.0
    if not 0 < times < float("inf"):
        raise ConfigError(f"--speed is a number above 0 such as 60, or max; not {text!r}.")
    return times


def verify(
    run: _Run, *, as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False
) -> None:
    """Play what a live run recorded as a backtest, and name the first difference."""
    from openbell.cli.output.run_progress import ProgressObserver
    from openbell.live.record.verify import verify_run

    with only_json(as_json), ProgressObserver() as progress:
        found = verify_run(run, progress)
    if as_json:
        print_json(found.to_dict())
    else:
        _show(found)
    if not found.is_equal:
        raise typer.Exit(1)


def _show(found: Verification) -> None:
    lines, files = found.compared
    say(f"{found.bars:,} bars recorded, {found.revisions:,} of them late or corrected after they were used")
    compared = f"{lines:,} events" + (f" and {files:,} files of bars and indicators" if files else "")
    if not found.differences:
        say(f"the backtest of these bars equals the live run to the bit: {compared} compared")
        return
    for one in found.differences:
        say(_text(one))
    equal = "the rest is equal" if found.is_equal else "the live run differs from its backtest"
    say(f"{equal}: {compared} compared")


def _text(one: Difference) -> str:
    head = f"{one.file}, {one.where}: live {_short(one.live)}, backtest {_short(one.backtest)}"
    return f"{head}\n  a revision may be why: {one.revision}" if one.revision else head


def _short(text: str) -> str:
    return (text if len(text) < 200 else f"{text[:200]}…") or "has nothing"


def stop(
    run: _Run,
    *,
    flatten: Annotated[
        bool, typer.Option("--flatten", help="Cancel all orders and close all positions first, at the next bars.")
    ] = False,
) -> None:
    """Stop a live run, from any terminal."""
    from openbell.live.broker.dead_run import trades_at_broker
    from openbell.live.record.feed_record import recorded
    from openbell.live.status.run_lock import OVER, is_running, read_state, wait_for_end
    from openbell.live.stop_request import ask_to_stop

    recorded(run)
    known = read_state(run)
    pid = known.get("pid", "unknown")
    if not is_running(run):
        if flatten and trades_at_broker(run):
            _close_out(run, flatten=True)
            return
        if known.get("state") not in OVER:  # a summary in the folder may be older than a resumption
            at_broker = (
                f" Its orders and positions stay at the broker; openbell stop {run} --flatten cancels and closes them."
                if trades_at_broker(run)
                else ""
            )
            raise RunFolderError(
                f"{run} does not run: its process ({pid}) ended without a summary, as when it is killed. What it "
                f"recorded is there: openbell verify {run} compares it, and openbell live --resume {run} continues a "
                f"live run.{at_broker}"
            )
        say(f"{run} is over already")
        return
    ask_to_stop(run, flatten=flatten)
    if trades_at_broker(run) and not wait_for_end(run, _ANSWER_S, closing_s=_FLAT_S if flatten else 0.0):
        say(f"{run} does not answer: its process ({pid}) may be busy in a strategy, or may hang.")
        _close_out(run, flatten=flatten)
        raise typer.Exit(1)
    if flatten and not wait_for_end(run, _FLAT_S):
        raise RunFolderError(
            f"{run} has not ended within {_FLAT_S:g} s: its process ({pid}) closes its positions at the next bars of "
            f"their symbols, and then ends. openbell stop {run} ends it with what it holds."
        )
    if not wait_for_end(run, _ANSWER_S):  # once it has seen the request, it reports that it writes its results
        raise RunFolderError(
            f"{run} has not ended within {_ANSWER_S:g} s: its process ({pid}) may be busy in a strategy, or may hang. "
            f"It stops at its next check of the stop request; what it recorded is kept if you end the process yourself."
        )
    say(f"{run} has stopped")


def _close_out(run: Path, *, flatten: bool) -> None:
    """Cancel the orders of a run at its broker, and close its positions if ``flatten``."""
    from openbell.live.broker.dead_run import close_out

    done = close_out(run, positions=flatten)
    for one in done:
        say(one)
    left = "" if flatten else f"; what it holds stays: openbell stop {run} --flatten closes it"
    say(f"done at the broker{left}" if done else f"no order of it is open at the broker{left}")
