"""`LogObserver`: writes what happens in a run to the log, with session time; what `-v` and `-vv` show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openbell.engine.observer import SessionObserver
from openbell.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from openbell.provisioning import ProvisioningRecord
    from openbell.session import SessionData

__all__ = ["LogObserver"]


class LogObserver(SessionObserver):
    """Logs sessions, symbols, refusals, scans and signals as info, and every other addition and removal as debug.

    A session's scans and signals are logged when it ends, in the order in which they came.
    """

    def __init__(self) -> None:
        self._log = get_logger()

    def run_started(self, days: list[date]) -> None:
        """Which sessions there are."""
        self._log.info("run started", sessions=len(days), first=str(days[0]), last=str(days[-1]))

    def day_started(self, day: date) -> None:
        """Which session it is."""
        self._log.info("session is prepared", session=str(day))

    def provisioned(self, record: ProvisioningRecord) -> None:
        """What was asked for, and what came of it."""
        fields: dict[str, Any] = {
            "session_time": record.time,
            "operation": record.operation_type,
            "symbol": record.symbol,
            "owner": record.owner,
            "intervals": " ".join(record.required_intervals),
        }
        if record.warnings:
            fields["warnings"] = list(record.warnings)
        if not record.ok:
            self._log.info("refused", **fields, errors=list(record.errors))
        elif record.operation_type == "symbol":
            self._log.info("provisioned", **fields)
        else:
            steps = {step.name: round(step.ms, 3) for step in record.steps}
            self._log.debug("provisioned", **fields, reason=record.reason, steps_ms=steps)

    def day_prepared(self, session_data: SessionData) -> None:
        """What the session begins with."""
        self._log.info("session begins", session=str(session_data.session_date), symbols=len(session_data.symbols))

    def day_ended(self, summary: Mapping[str, Any], session_data: SessionData) -> None:  # noqa: ARG002 -- the signature
        """What was found and signalled, and what the session came to."""
        happened = [("scanned", scan) for scan in summary["scans"]] + [("signal", s) for s in summary["signals"]]
        for event, entry in sorted(happened, key=lambda item: str(item[1]["time"])):
            fields = {name: value for name, value in entry.items() if name != "time"}
            self._log.info(event, session_time=entry["time"], **fields)
        self._log.info(
            "session ended",
            session=summary["date"],
            session_time=summary["last"],
            symbols=len(summary["symbols"]),
            dropped=len(summary["dropped"]),
            bars=summary["bars_streamed"],
            callbacks=summary["callbacks"],
            signals=len(summary["signals"]),
        )
