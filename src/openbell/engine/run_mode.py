"""Days, provisioners and batches of a run, which differ between a backtest and a live run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from openbell.engine.timetable import Timetable
from openbell.errors import ConfigError
from openbell.provisioning import Provisioner

if TYPE_CHECKING:
    from datetime import date

    from openbell.config import SessionConfig
    from openbell.engine.component_runner import ComponentRunner
    from openbell.engine.dispatcher import BatchSource
    from openbell.engine.subscriptions import Subscriptions
    from openbell.execution.desk import TradingDesk
    from openbell.provisioning import Journal, ProvisioningContext
    from openbell.timing import TimeManager
    from openbell.timing.trading_session import TradingSession

__all__ = ["BacktestMode", "RunMode"]


class RunMode(Protocol):
    """Part of a run that differs between a backtest and a live session.

    Attributes:
        reads_ahead: Whether the store has the bars of the sessions before they are played.
        has_broker: Whether orders go to a broker over the network.
    """

    reads_ahead: bool
    has_broker: bool

    def days(self, config: SessionConfig, time_manager: TimeManager) -> list[date]:
        """Return the sessions of the run, in ascending order.

        Raises:
            ConfigError: There is none.
        """

    def start_ns(self, session: TradingSession) -> int:
        """Return the time of the session clock before the first batch, nanoseconds since 1970 UTC."""

    def provisioner(self, context: ProvisioningContext, journal: Journal) -> Provisioner:
        """Return the provisioner of a session that begins."""

    def before_trading(self, desk: TradingDesk, session: TradingSession) -> None:
        """Update the desk's account with what has happened since the last session."""

    def source(
        self,
        session: TradingSession,
        subscriptions: Subscriptions,
        runner: ComponentRunner,
        desk: TradingDesk | None,
    ) -> BatchSource:
        """Return the source of a session's batches."""

    def ended(self) -> None:
        """Finish after the last session, before the results are written."""


class BacktestMode:
    """Plays stored sessions, each from beginning to end."""

    reads_ahead = True
    has_broker = False

    def days(self, config: SessionConfig, time_manager: TimeManager) -> list[date]:
        """Return the sessions of the config's days."""
        asked = config.backtest_config
        if days := time_manager.sessions(asked.start_date, asked.end_date):
            return days
        raise ConfigError(
            f"{time_manager.exchange} has no session from {asked.start_date} to {asked.end_date}. Choose others."
        )

    def start_ns(self, session: TradingSession) -> int:
        """Return the start of trading."""
        return session.first_ns

    def provisioner(self, context: ProvisioningContext, journal: Journal) -> Provisioner:
        """Return a provisioner over the store, which has all bars at once."""
        return Provisioner(context, journal)

    def before_trading(self, desk: TradingDesk, session: TradingSession) -> None:
        """Do nothing, since the simulated broker needs the store alone."""

    def source(
        self,
        session: TradingSession,
        subscriptions: Subscriptions,
        runner: ComponentRunner,
        desk: TradingDesk | None,  # noqa: ARG002 -- its markets have all stored bars from the beginning
    ) -> BatchSource:
        """Return the timetable of the stored bars."""
        return Timetable(session, subscriptions, runner.scanners, subscriptions.time_manager)

    def ended(self) -> None:
        """Do nothing."""
