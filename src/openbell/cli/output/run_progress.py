"""Progress bar and log of a run."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from openbell.cli.terminal.console import err, out, warn
from openbell.engine.observer import SessionObserver
from openbell.logs import get_logger
from openbell.model.events import local_time

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from typing import Self

    from rich.progress import Progress

    from openbell.model.events import ProvisioningRecord, ScanEvent, SignalEvent
    from openbell.model.json_object import JsonObject
    from openbell.results.result import DayResult
    from openbell.session import SessionData

__all__ = ["LogObserver", "ProgressObserver"]


class ProgressObserver(SessionObserver):
    """Progress bar on stderr that names the current session.

    Use it as a context manager.

    Args:
        shown: Whether to show it if stderr is a terminal; False if a log is written there.
    """

    def __init__(self, *, shown: bool = True) -> None:
        self._bar = _progress_bar() if shown and err.is_terminal else None
        self._ended = 0

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Hide the bar within a ``with`` block, while something is printed."""
        self.__exit__()
        try:
            yield
        finally:
            self.__enter__()

    def run_started(self, days: list[date]) -> None:
        """Set the length of the bar to the number of sessions."""
        self._update(total=len(days))

    def warned(self, warning: str) -> None:
        """Print the warning above the bar."""
        warn(warning)

    def day_started(self, day: date) -> None:
        """Show the session that is being prepared."""
        self._update(description=f"{day}: provisioning")

    def provisioned(self, record: ProvisioningRecord) -> None:
        """Show the symbol that was provisioned."""
        self._update(description=f"{record.time:%Y-%m-%d}: provisioned {record.symbol}")

    def day_prepared(self, session_data: SessionData) -> None:
        """Show the session that begins."""
        self._update(description=f"{session_data.session_date}: streaming")

    def advanced(self, share: float) -> None:
        """Move the bar within the session."""
        self._update(completed=self._ended + share)

    def day_ended(self, result: DayResult, session_data: SessionData) -> None:  # noqa: ARG002 -- the signature
        """Count the session."""
        self._ended += 1
        self._update(completed=self._ended)

    def _update(self, **changes: Any) -> None:
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], **changes)


def _progress_bar() -> Progress:
    # Imported here, because it takes long and is not needed without a terminal.
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    # What users' code prints is shown above the bar only if stdout is a terminal too; else it goes where stdout goes.
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=err, transient=True, redirect_stdout=out.is_terminal,
    )  # fmt: skip
    bar.add_task("sessions", total=None)
    return bar


class LogObserver(SessionObserver):
    """Log of a run, whose events carry the session time.

    Sessions, symbols, refused removals, scans and signals are logged as info, all other additions and removals as
    debug. Refused additions are not logged here: provisioning warns of them.
    """

    def __init__(self) -> None:
        self._log = get_logger()

    def run_started(self, days: list[date]) -> None:
        """Log the number of sessions and their range."""
        self._log.info("run started", sessions=len(days), first=str(days[0]), last=str(days[-1]))

    def day_started(self, day: date) -> None:
        """Log the session that is prepared."""
        self._log.info("session is prepared", session=str(day))

    def provisioned(self, record: ProvisioningRecord) -> None:
        """Log an addition or removal with its outcome."""
        fields: JsonObject = {
            "session_time": record.time.isoformat(),
            "operation": record.operation_type,
            "symbol": record.symbol,
            "owner": record.owner,
            "intervals": " ".join(record.required_intervals),
        }
        if record.warnings:
            fields["warnings"] = list(record.warnings)
        if not record.ok:
            if record.operation_type in ("remove", "lock", "unlock"):
                self._log.info("refused", **fields, errors=list(record.errors))
        else:
            steps = {step.name: round(step.ms, 3) for step in record.steps}
            log = self._log.info if record.operation_type == "symbol" else self._log.debug
            log("provisioned", **fields, reason=record.reason, steps_ms=steps)

    def day_prepared(self, session_data: SessionData) -> None:
        """Log the beginning of the session."""
        self._log.info("session begins", session=str(session_data.session_date), symbols=len(session_data.symbols))

    def scanned(self, scan: ScanEvent) -> None:
        """Log the symbols that a scanner found."""
        self._log.info("scanned", session_time=scan.time.isoformat(), scanner=scan.scanner, symbols=list(scan.symbols))

    def signalled(self, signal: SignalEvent) -> None:
        """Log a signal."""
        self._log.info(
            "signal",
            session_time=signal.time.isoformat(),
            symbol=signal.symbol,
            action=signal.action,
            reason=signal.reason,
            strategy=signal.strategy,
        )

    def day_ended(self, result: DayResult, session_data: SessionData) -> None:  # noqa: ARG002 -- the signature
        """Log the result of the session."""
        self._log.info(
            "session ended",
            session=result.date.isoformat(),
            session_time=local_time(result.last_ns, result.zone).isoformat(),
            symbols=len(result.symbols),
            dropped=len(result.dropped),
            bars=result.bars_streamed,
            callbacks=result.callbacks,
            signals=len(result.signals),
        )
