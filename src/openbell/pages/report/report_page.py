"""Report page of a run, made from its folder."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from openbell.config import load_config
from openbell.errors import ConfigError, OpenbellError
from openbell.pages.figures import histogram_figure
from openbell.pages.page import CANDLES, EQUITY, html_page
from openbell.pages.report.assumptions import assumptions
from openbell.pages.report.chart_key import chart_key
from openbell.pages.report.chosen_charts import chosen_charts
from openbell.pages.report.curves import equity_points, histogram, month_table, session_ends
from openbell.pages.report.data_used import dropped_symbols, poor_series, refused_orders, refused_requests
from openbell.pages.report.earnings import earners, metrics, tiles
from openbell.pages.report.report_warnings import ReportWarning, warnings_of
from openbell.pages.report.tables import signal_counts, signal_rows, trade_rows
from openbell.results.folder.run_tables import read_tables
from openbell.results.folder.stored_run import read_run, read_summary
from openbell.timing import TimeManager

if TYPE_CHECKING:
    from datetime import tzinfo
    from pathlib import Path

    from openbell.config import SessionConfig
    from openbell.model.address import Place
    from openbell.model.json_object import JsonObject
    from openbell.pages.report.chosen_charts import ChosenCharts
    from openbell.results.folder.run_tables import RunTables
    from openbell.results.folder.stored_run import StoredRun

__all__ = ["ReadRun", "read_parts", "report_values", "run_report"]

_MOST_TRADES = 2000
_MOST_SIGNALS = 500
_MOST_REFUSED = 50
_MOST_POOR = 300
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class ReadRun(NamedTuple):
    """A run with everything that was read from its folder."""

    stored: StoredRun
    summary: JsonObject
    tables: RunTables
    config: SessionConfig | None
    config_problem: str
    time_manager: TimeManager | None

    @property
    def days(self) -> list[JsonObject]:
        return [day for day in self.summary.get("days") or () if isinstance(day, dict)]

    @property
    def zone(self) -> tzinfo:
        if self.time_manager is not None:
            return self.time_manager.timezone
        opened = self.days[0].get("open") if self.days else None
        return (datetime.fromisoformat(opened).tzinfo if isinstance(opened, str) else None) or UTC

    def calendar(self) -> tuple[SessionConfig, TimeManager]:
        """Return the config and the calendar of the run.

        Raises:
            ConfigError: The config cannot be read.
        """
        if self.config is None or self.time_manager is None:
            raise ConfigError(f"the config of this run cannot be read: {self.config_problem}")
        return self.config, self.time_manager


def run_report(folder: Path, *, store: Place | None = None, most_charts: int = 40) -> str:
    """Return the report of a run as one HTML document without other files.

    Its size is bounded: of many trades, signals and charts, it shows the most important ones and says how many are left
    out.

    Args:
        folder: The folder of the run, which may be unfinished or damaged.
        store: The store of candles that the run did not keep; that of the config unless given.
        most_charts: The largest number of charts of candles.

    Raises:
        ConfigError: The folder is none of a run.
    """
    run = read_parts(folder)
    charts = chosen_charts(folder, run.config, run.time_manager, run.tables, store, most_charts)
    values, data = report_values(run, folder, charts)
    scripts = CANDLES if charts.windows else EQUITY if data["equity"] is not None else ()
    return html_page("report.html", values, charts=scripts, data=data)


def report_values(
    run: ReadRun, folder: Path, charts: ChosenCharts, *, most_trades: int = _MOST_TRADES
) -> tuple[dict[str, Any], JsonObject]:
    """Return the values for the template of a report, and the data for its scripts.

    Args:
        run: The run.
        folder: Its folder.
        charts: The charts of candles of the run.
        most_trades: The largest number of rows of trades.
    """
    values = {**_heading(run, folder), **_earnings(run), **_rows(run, charts, most_trades), **_warnings_and_data(run)}
    sections = [(name, title) for name, title in _SECTIONS if _is_there(name, values)]
    equity = values.pop("equity")
    values |= {"sections": sections, "section_ids": {name for name, _ in sections} | {"refused"}}
    return values, {"zone": str(run.zone), "equity": equity, "windows": charts.windows}


_SECTIONS = (
    ("warnings", "Warnings"),
    ("earned", "Earned"),
    ("equity", "Equity"),
    ("returns", "Returns"),
    ("earners", "By symbol"),
    ("candles", "Candles"),
    ("trades", "Trades"),
    ("signals", "Signals"),
    ("dropped", "Refused"),
    ("quality", "Quality"),
    ("assumed", "Assumed"),
    ("config", "Config"),
)


def _is_there(name: str, values: dict[str, Any]) -> bool:
    needed = {
        "warnings": "warnings", "equity": "has_equity", "earners": "earners", "trades": "trades",
        "signals": "signal_counts",
    }  # fmt: skip
    if name == "returns":
        return bool(values["months"] or values["figures"])
    return name not in needed or bool(values[needed[name]])


def read_parts(folder: Path) -> ReadRun:
    """Read the folder of a run, which may be damaged or unfinished.

    Raises:
        ConfigError: The folder is none of a run.
    """
    stored = read_run(folder)
    summary = read_summary(folder) if stored.state in ("done", "failed", "interrupted") else {}
    config, problem, time_manager = None, "", None
    try:
        config = load_config(folder / "config.json")
        hours = config.session_data_config.session_hours
        time_manager = TimeManager(config.exchange, session_hours=hours)
    except (OpenbellError, OSError) as error:
        problem = str(error)
    return ReadRun(stored, summary, read_tables(folder), config, problem, time_manager)


def _heading(run: ReadRun, folder: Path) -> dict[str, Any]:
    days = run.stored.days
    span = f"{days[0]} to {days[-1]}, " if len(days) > 1 else f"{days[0]}, " if days else ""
    sessions = f"{len(days):,} session{'' if len(days) == 1 else 's'}"
    exchange = run.stored.config.get("exchange", "")
    mode = run.stored.config.get("mode", "run")
    return {
        "name": run.stored.session_name or folder.name,
        "subtitle": f"{str(mode).capitalize()} on {exchange}, {span}{sessions}, {run.stored.state}",
        "folder": str(folder),
        "version": version("openbell"),
        "zone": str(run.zone),
    }


def _earnings(run: ReadRun) -> dict[str, Any]:
    equity = run.tables.equity
    start = (run.stored.performance or {}).get("start_equity")
    ends = session_ends(equity, start) if equity is not None and len(equity) and start is not None else None
    figures = []
    if ends is not None and ends.returns is not None and (found := histogram(ends.returns)):
        figures.append(("Returns of sessions", histogram_figure(found, "sessions"), found))
    trades = run.tables.trades
    if trades is not None and (found := histogram(trades["return"].drop_nulls().to_numpy())):
        figures.append(("Returns of trades, before fees", histogram_figure(found, "trades"), found))
    points = None if ends is None or equity is None else equity_points(equity, ends.start_equity)
    label = "" if ends is None else f"Equity from {ends.start_equity:,.2f} to {float(ends.equity[-1]):,.2f}"
    return {
        "tiles": tiles(run.stored),
        "metrics": metrics(run.stored),
        "no_earnings": _why_no_earnings(run),
        "equity": points,
        "has_equity": points is not None,
        "equity_label": label,
        "thinned": points is not None and points["thinned"],
        "months": None if ends is None else month_table(ends),
        "month_names": _MONTHS,
        "figures": figures,
        "earners": [] if trades is None or not len(trades) else list(earners(trades)),
    }


def _why_no_earnings(run: ReadRun) -> str:
    if run.stored.state == "damaged":
        return "What it earned cannot be read."
    if run.stored.config.get("execution") is None:
        return "It did not trade: its config has no section execution, so that its signals stayed signals."
    return "It has not come to its end: what it earned is written then."


def _rows(run: ReadRun, charts: ChosenCharts, most_trades: int) -> dict[str, Any]:
    trades, left = ([], 0) if run.tables.trades is None else trade_rows(run.tables.trades, run.zone, most_trades)
    signals, earlier = signal_rows(run.tables.signals, run.zone, _MOST_SIGNALS)
    return {
        "charts": charts.titles,
        "chart_key": chart_key(charts.windows),
        "chart_notes": charts.notes,
        "shown_trades": charts.shown_trades,
        "trade_places": {},
        "symbol_places": {},
        "has_trades": bool(trades),
        "trades": trades,
        "trades_left": left,
        "signals": signals,
        "signals_left": earlier,
        "signal_counts": signal_counts(run.tables.signals),
        "time_form": "%Y-%m-%d %H:%M:%S" if _has_seconds(run) else "%Y-%m-%d %H:%M",
    }


def _has_seconds(run: ReadRun) -> bool:
    return run.config is not None and any(name.endswith("s") for name in run.config.session_data_config.streams)


def _warnings_and_data(run: ReadRun) -> dict[str, Any]:
    dropped, poor = dropped_symbols(run.days), poor_series(run.days)
    problems = [ReportWarning("bad", f"{text}.") for text in run.tables.problems]
    return {
        "warnings": [*problems, *warnings_of(run.stored, run.summary, run.config, dropped, poor)],
        "dropped": dropped,
        "refused_requests": refused_requests(run.days),
        "refused_orders": refused_orders(run.days),
        "poor": poor,
        "most_refused": _MOST_REFUSED,
        "most_poor": _MOST_POOR,
        "has_days": bool(run.days),
        "is_wide": any("totals" in day for day in run.days),
        "complete": run.stored.state == "done",
        "assumed": [] if run.config is None else list(assumptions(run.config)),
        "config_problem": run.config_problem,
        "config_text": yaml.safe_dump(run.stored.config, sort_keys=False, allow_unicode=True, width=100),
    }
