"""The command ``openbell calendars``."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from openbell.cli.exchange import exchange_named
from openbell.cli.terminal.console import print_json, show
from openbell.cli.terminal.days import day_option
from openbell.errors import CalendarError, ConfigError

if TYPE_CHECKING:
    from openbell.model.json_object import JsonObject
    from openbell.timing import TimeManager
    from openbell.timing.calendar_listing import CalendarSummary, SessionLine

__all__ = ["calendars"]

_MOST_SESSIONS = 5


def calendars(
    name: Annotated[
        str | None, typer.Argument(help="A calendar or an alias, or a session config: its exchange.")
    ] = None,
    first: Annotated[date | None, day_option("--from", "The first day; today unless given.")] = None,
    last: Annotated[date | None, day_option("--to", "The last day; unless given, five sessions are shown.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """List the calendars with their aliases, hours and time zones, or show the sessions of one."""
    if name is None:
        if first or last:
            raise ConfigError("--from and --to show the sessions of one calendar; name it: openbell calendars XNYS")
        from openbell.timing.calendar_listing import list_calendars

        everything = list_calendars()
        if as_json:
            print_json([_summary_json(summary) for summary in everything])
        else:
            _list(everything)
        return
    time_manager = _time_manager(name)
    from openbell.timing.calendar_listing import lines_of_days

    try:
        lines = lines_of_days(time_manager, *_days(time_manager, first, last))
    except CalendarError as error:
        if first is None and last is None:
            raise
        raise ConfigError(str(error)) from None  # a day that the command names is a mistake in the command
    if as_json:
        print_json(_calendar_json(time_manager, lines))
    else:
        _show(time_manager, lines)


def _time_manager(name: str) -> TimeManager:
    from openbell.timing import TimeManager

    return TimeManager(exchange_named(name))


def _days(time_manager: TimeManager, begin: date | None, end: date | None) -> tuple[date, date]:
    """Return the first and last day to show.

    The first is today, or the calendar's last day if that is earlier, unless given. The last is that of the next five
    sessions unless given.
    """
    if begin is None:
        today = time_manager.get_current_time().astimezone(time_manager.timezone).date()
        begin = min(today, end or today, time_manager.last_day)
    if end is None:
        ahead = time_manager.sessions(begin, min(begin + timedelta(days=60), time_manager.last_day))
        end = ahead[:_MOST_SESSIONS][-1] if ahead else begin
    if end < begin:
        raise ConfigError(f"--to {end} is before --from {begin}. Swap them.")
    return begin, end


def _summary_json(summary: CalendarSummary) -> JsonObject:
    return {
        "name": summary.name,
        "aliases": summary.aliases,
        "timezone": summary.timezone,
        "hours": summary.hours,
        "opens_on_eve": summary.opens_on_eve,
    }


def _calendar_json(tm: TimeManager, lines: list[SessionLine]) -> JsonObject:
    days = []
    for line in lines:
        segments = line.session.segments if line.session else ()
        days.append(
            {
                "date": line.day,
                "note": line.note,
                "segments": [[tm.to_local(s.open_ns), tm.to_local(s.close_ns)] for s in segments],
            }
        )
    known = {"first": tm.first_day, "last": tm.last_day}
    return {"name": tm.exchange, "timezone": str(tm.timezone), "known": known, "days": days}


def _list(everything: list[CalendarSummary]) -> None:
    from openbell.cli.terminal.tables import make_table

    table = make_table("", "name <", "hours <", "time zone <", "aliases")
    for summary in everything:
        hours = " ".join("-".join(pair) for pair in summary.hours)
        evening = "eve " if summary.opens_on_eve else ""
        table.add_row(summary.name, evening + hours, summary.timezone, " ".join(summary.aliases))
    show(table)
    show("\nHours are local and of today; [bold]eve[/bold]: a session opens on the evening before its date.")
    show("Sessions of one: openbell calendars NAME --from 2024-07-01 --to 2024-07-05")


def _show(tm: TimeManager, lines: list[SessionLine]) -> None:
    from openbell.cli.terminal.printable import escape
    from openbell.cli.terminal.tables import make_table

    show(f"[bold]{escape(tm.exchange)}[/bold]  {tm.timezone}, known from {tm.first_day} to {tm.last_day}")
    table = make_table("", "day <", "", "note <", "trading, local time", "UTC")
    for line in lines:
        segments = line.session.segments if line.session else ()
        local = [(tm.to_local(s.open_ns), tm.to_local(s.close_ns)) for s in segments]
        table.add_row(
            str(line.day),
            f"{line.day:%a}",
            f"[yellow]{line.note}[/yellow]" if line.note else "",
            " ".join(f"{_at(a, line.day)}-{_at(b, line.day)}" for a, b in local),
            " ".join(f"{_at(a, line.day)}-{_at(b, line.day)}" for a, b in map(_in_utc, local)),
        )
    show(table)


def _in_utc(edges: tuple[datetime, datetime]) -> tuple[datetime, datetime]:
    return edges[0].astimezone(UTC), edges[1].astimezone(UTC)


def _at(time: datetime, day: date) -> str:
    """Return a time of day as text, with its weekday if its date is not ``day``."""
    if time.date() == day + timedelta(days=1) and f"{time:%H:%M}" == "00:00":
        return "24:00"
    return f"{time:%H:%M}" if time.date() == day else f"{time:%a %H:%M}"
