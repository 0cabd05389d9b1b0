"""Days, provisioners and batches of a run, as they differ between a backtest and a live run."""

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
        """Return where the session clock stands before the first batch, nanoseconds since 1970 UTC."""

    def provisioner(self, context: ProvisioningContext, journal: Journal) -> Provisioner:
        """Return the provisioner of a session that begins."""

    def before_trading(self, desk: TradingDesk, session: TradingSession) -> None:
        """Take up what has happened to the account since the last session, before this one trades."""

    def source(
        self,
        session: TradingSession,
        subscriptions: Subscriptions,
        runner: ComponentRunner,
        desk: TradingDesk | None,
    ) -> BatchSource:
        """Return the source of a session's batches."""

    def ended(self) -> None:
        """Hear that no further session is played, before the results are written."""


class BacktestMode:
    """Plays stored sessions, each from its begin to its end."""

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
        """Return a provisioner over the store, which has everything at once."""
        return Provisioner(context, journal)

    def before_trading(self, desk: TradingDesk, session: TradingSession) -> None:
        """Need nothing, for the simulated broker does all by the store."""

    def source(
        self,
        session: TradingSession,
        subscriptions: Subscriptions,
        runner: ComponentRunner,
        desk: TradingDesk | None,  # noqa: ARG002 -- a market of stored bars is whole from the begin
    ) -> BatchSource:
        """Return the timetable of the stored bars."""
        return Timetable(session, subscriptions, runner.scanners, subscriptions.time_manager)

    def ended(self) -> None:
        """Need nothing."""
