"""The command ``openbell check``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openbell.cli.terminal.console import only_json, print_json, show, warn
from openbell.cli.terminal.printable import escape
from openbell.cli.terminal.tables import some
from openbell.errors import ConfigError, DataError, InvalidConfigError, NotAStoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openbell.config import SessionConfig
    from openbell.engine.config_summary import ConfigSummary
    from openbell.model.json_object import JsonObject

__all__ = ["check"]

_LISTS = ("symbols", "streams", "indicators", "scanners", "strategies")


def check(
    config: Annotated[Path, typer.Argument(help="The session config: a .yaml, .json or .toml file.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Validate a config as a whole, without data."""
    from openbell.config import load_config
    from openbell.engine.config_summary import summarise_config
    from openbell.engine.preflight import require_good_config, with_days_to_come

    try:
        with only_json(as_json):
            session = with_days_to_come(load_config(config))
            require_good_config(session)
            _require_good_sweep(session)
            summary, warnings = summarise_config(session), _warnings(session)
    except ConfigError as error:
        if as_json:
            problems = error.problems if isinstance(error, InvalidConfigError) else (str(error),)
            print_json({"ok": False, "problems": problems})
        raise
    for warning in warnings:
        warn(warning)
    if as_json:
        print_json({"ok": True, "problems": [], "warnings": warnings, **_json(summary)})
    else:
        _show(summary, _orders_of(session))


def _require_good_sweep(session: SessionConfig) -> None:
    """Check each value of the config's sweep, if it has one.

    Raises:
        ConfigError: A value is wrong or a key does not exist; the message names all of them.
    """
    if session.sweep is not None:
        from openbell.sweeps.space import points_of

        points_of(session, session.sweep)


def _warnings(session: SessionConfig) -> list[str]:
    """Return warnings about calendar, store and trading of a config, and about intervals whose bars never close."""
    from openbell.components.configured import ConfiguredClasses
    from openbell.engine.run_data import data_manager_of
    from openbell.engine.run_warnings import (
        futures_without_terms,
        streams_without_bars,
        subscriptions_without_bars,
        unknown_to_the_store,
    )
    from openbell.quality.calendar_fit import bars_beyond_calendar
    from openbell.timing import TimeManager

    data = session.session_data_config
    time_manager = TimeManager(session.exchange, session_hours=data.session_hours)
    days = time_manager.sessions(session.backtest_config.start_date, session.backtest_config.end_date)
    odd = [
        *futures_without_terms(session, time_manager),
        *streams_without_bars(session, time_manager, days),
        *subscriptions_without_bars(ConfiguredClasses.of(session).strategies, session, time_manager, days),
    ]
    if session.store is None:
        return odd  # a config need not name a store
    try:
        manager = data_manager_of(session, time_manager, None, None)
    except NotAStoreError as error:
        return [*odd, f"{error} A run needs the store that the config names under `store:`."]
    except DataError as error:
        return [*odd, str(error)]
    beyond = bars_beyond_calendar(manager.store, time_manager, data.symbols)
    return [*odd, *beyond, *unknown_to_the_store(session, manager, days)]


def _json(summary: ConfigSummary) -> JsonObject:
    days = summary.days
    sessions = {"count": len(days), "first": days[0], "last": days[-1]}
    named = {name: getattr(summary, name) for name in _LISTS}
    declared = [(one.owner, one.requirement) for one in summary.requirements]
    return {
        "session_name": summary.session_name,
        "exchange": summary.exchange,
        "sessions": sessions,
        **named,
        "requirements": [
            {"owner": owner, "symbol": r.symbol, "needs": r.name, "days": r.days, "bars": r.bars}
            for owner, r in declared
        ],
    }


def _orders_of(session: SessionConfig) -> str:
    """Return a text that says where the orders of a config go."""
    execution = session.execution
    if execution is None:
        return "none: signals stay signals"
    if execution.broker == "simulated":
        return "simulated"
    broker = execution.broker.title()
    if session.mode != "live":
        return f"simulated: {broker} gets those of live sessions alone"
    return f"at {broker}, with {'LIVE MONEY' if execution.live_money else 'paper money'}"


def _show(summary: ConfigSummary, orders: str) -> None:
    from rich.table import Table

    days = summary.days
    span = f"{len(days)}, {days[0]} to {days[-1]} on {summary.exchange}"
    rows = {"sessions": span} | {name: ", ".join(getattr(summary, name)) or "none" for name in _LISTS}
    rows["orders"] = orders
    if summary.requirements:
        rows["requirements"] = "\n".join(_requirements(summary))
    table = Table.grid(padding=(0, 2))
    for name, text in rows.items():
        table.add_row(f"  {name}", text)
    show(f"[green]config is good[/green]: {summary.session_name}")
    show(table)


def _requirements(summary: ConfigSummary) -> Iterator[str]:
    """Yield a line for each owner and group of symbols with the same requirements."""
    needs: dict[tuple[str, str], list[str]] = {}
    for one in summary.requirements:
        needs.setdefault((one.owner, one.requirement.symbol), []).append(str(one.requirement))
    symbols: dict[tuple[str, str], list[str]] = {}
    for (owner, symbol), names in needs.items():
        symbols.setdefault((owner, ", ".join(names)), []).append(symbol)
    for (owner, what), of in symbols.items():
        yield f"{escape(f'{owner}: {what}')} of {some(of)}"
