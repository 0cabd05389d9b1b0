"""Checks of a config as a whole, before a run.

They find what the check of a single key cannot: problems of calendars, indicators and classes. They need no store:
whether the data is there is checked per symbol when a session is prepared.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from openbell import indicators
from openbell.components.schedule import due_times, spans_midnight_outside
from openbell.components.universes import load_universe
from openbell.config.error_messages import Problem
from openbell.config.reading import problems_with_lines
from openbell.errors import ConfigError, InvalidConfigError, OpenbellError
from openbell.timing import TimeManager
from openbell.timing.clock import today_utc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openbell.components.configured import ConfiguredScanner, ConfiguredStrategy
    from openbell.config import IndicatorConfig, SessionConfig

__all__ = ["check_config", "indicator_key", "require_good_config", "with_days_to_come"]


class _Problems(list[Problem]):
    """The problems found so far."""

    @contextmanager
    def at(self, *place: str | int) -> Iterator[None]:
        """Record an `OpenbellError` raised within the block as a problem of the key at this place."""
        try:
            yield
        except OpenbellError as error:
            self.append(Problem(place, str(error)))


def check_config(config: SessionConfig, time_manager: TimeManager | None = None) -> list[Problem]:
    """Find all problems of a config that can be known without data.

    In a good config the calendar is known and has sessions in the range, indicators and their parameters exist and suit
    their interval, classes can be imported and derive from the right base, and universe files are there. Models of fees
    and slippage exist, and take their parameters.

    Args:
        config: The config.
        time_manager: The calendar to check against; made from the config unless given.
    """
    found = _Problems()
    config = with_days_to_come(config)
    _check_live(config, found)
    time_manager = time_manager or _calendar(config, found)
    if time_manager is not None:
        _check_sessions(config, time_manager, found)
    _check_indicators(config, found)
    _check_components(config, time_manager, found)
    _check_costs(config, found)  # last, because a strategy's file may register its own models
    return found


def _check_live(config: SessionConfig, found: _Problems) -> None:
    if config.live is not None:
        from openbell.feeds.server_text import ServerText

        if config.live.url is not None:
            with found.at("live", "url"):
                ServerText(config.live.url)
        for key in ("keep_bars", "mix_feeds"):
            if getattr(config.live, key) and config.store is None:
                found.append(Problem(("live", key), "needs a store. Write store: DIR, in which bars are or will be."))
    elif config.mode == "live":
        found.append(
            Problem(
                ("live",),
                "is required in mode: live. Write live: {provider: alpaca}, or {provider: websocket, url: ...}.",
            )
        )


def with_days_to_come(config: SessionConfig) -> SessionConfig:
    """Return the config, with the two weeks from today on if it names no days."""
    if config.has_days:
        return config
    return config.with_days(today_utc(), today_utc() + timedelta(days=14))


def require_good_config(config: SessionConfig, time_manager: TimeManager | None = None) -> None:
    """Check a config as a whole.

    Raises:
        InvalidConfigError: `check_config` finds problems; the error names all of them.
    """
    if problems := check_config(config, time_manager):
        raise InvalidConfigError(config.display_name, problems_with_lines(problems, config))


def _calendar(config: SessionConfig, found: _Problems) -> TimeManager | None:
    try:
        time_manager = TimeManager(config.exchange)
    except OpenbellError as error:
        found.append(Problem(("exchange",), str(error)))
        return None
    hours = config.session_data_config.session_hours
    if hours != time_manager.session_hours:
        with found.at("session_data_config", "session_hours"):
            time_manager = TimeManager(config.exchange, session_hours=hours)
    return time_manager


def _check_sessions(config: SessionConfig, time_manager: TimeManager, found: _Problems) -> None:
    start, end = config.backtest_config.start_date, config.backtest_config.end_date
    with found.at("backtest_config"):
        if not time_manager.sessions(start, end):
            before, after = time_manager.last_session_on_or_before(start), time_manager.first_session_on_or_after(end)
            near = f"The nearest sessions are {before} and {after}."
            raise ConfigError(f"{config.exchange_name} has no session from {start} to {end}. {near}")
        _check_schedules(config, time_manager, found)


def _check_schedules(config: SessionConfig, time_manager: TimeManager, found: _Problems) -> None:
    """Check that every scanner is due in some session."""
    days = time_manager.sessions(config.backtest_config.start_date, config.backtest_config.end_date)
    sessions = [time_manager.session(day) for day in days]
    opens, closes = (f"{time_manager.to_local(t):%H:%M}" for t in (sessions[0].first_ns, sessions[0].last_ns))
    for at, scanner in enumerate(config.scanners):
        for n, schedule in enumerate(scanner.schedule):
            if all(spans_midnight_outside(schedule, session, time_manager) for session in sessions):
                with found.at("scanners", at, "schedule", n, "end"):
                    raise ConfigError(
                        f"{schedule.end:%H:%M} is before start {schedule.start:%H:%M}, and no session trades over "
                        f"midnight: they are from {opens} to {closes}. Swap start and end, or correct them."
                    )
        if scanner.pre_session or any(due_times(scanner.schedule, session, time_manager) for session in sessions):
            continue
        with found.at("scanners", at, "schedule"):
            raise ConfigError(f"the scanner would never run: the sessions are from {opens} to {closes}.")


def _check_indicators(config: SessionConfig, found: _Problems) -> None:
    keys: dict[str, int] = {}
    for at, indicator in enumerate(config.session_data_config.indicators):
        with found.at("session_data_config", "indicators", at):
            key = indicator_key(indicator, config)
            first = keys.setdefault(key, at)
            if first != at:
                raise ConfigError(f"it is the same as indicators[{first}]: both are {key}. Take one out.")


def indicator_key(indicator: IndicatorConfig, config: SessionConfig) -> str:
    """Check an indicator of a config, and return its key.

    Raises:
        ConfigError: There is no such indicator, its parameters contradict each other, or its interval does not suit it.
    """
    definition = indicators.get(indicator.name)
    params = definition.resolve(indicator.period, indicator.params)
    definition.check_interval(indicator.interval, params)
    definition.lookback(params)
    definition.settling(params, config.session_data_config.settling_tolerance)
    return indicators.key(definition.name, params, indicator.interval)


def _check_components(config: SessionConfig, time_manager: TimeManager | None, found: _Problems) -> None:
    from openbell.components.configured import ConfiguredScanner, ConfiguredStrategy, load_scanner, load_strategy

    for at, scanner in enumerate(config.scanners):
        scanner_class = universe = None
        with found.at("scanners", at, "module"):
            scanner_class = load_scanner(scanner, config)
        with found.at("scanners", at, "universe"):
            universe = load_universe(scanner.universe, config.folder)
        with found.at("scanners", at, "module"):
            if scanner_class is not None and universe is not None:
                name = f"scanner {scanner_class.__name__}"
                _check_requirements(ConfiguredScanner(name, scanner_class, scanner, universe), config, time_manager)
    for at, strategy in enumerate(config.strategies):
        with found.at("strategies", at, "module"):
            made_of = load_strategy(strategy, config)
            _check_requirements(
                ConfiguredStrategy(f"strategy {strategy.name}", made_of, strategy), config, time_manager
            )


def _check_requirements(
    component: ConfiguredScanner | ConfiguredStrategy, config: SessionConfig, time_manager: TimeManager | None
) -> None:
    """Check the requirements of a component, if the calendar is known and has sessions in the range."""
    from openbell.engine.declared_requirements import required_before_session

    days = config.backtest_config
    if time_manager is not None and time_manager.sessions(days.start_date, days.end_date):
        required_before_session(component, config, time_manager)


def _check_costs(config: SessionConfig, found: _Problems) -> None:
    """Check the names and parameters of the models of fees and slippage."""
    if config.execution is None:
        return
    from openbell.execution.simulated.configured_costs import make_fees, make_slippage

    with found.at("execution", "fees"):
        make_fees(config.execution.fees)
    with found.at("execution", "slippage"):
        make_slippage(config.execution.slippage)
