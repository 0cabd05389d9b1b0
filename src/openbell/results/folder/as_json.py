"""JSON form of events, results and plans, as run folders and the command line write it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from openbell.model.events import ProvisioningRecord, ScanEvent, SignalEvent, StateEvent, local_time
from openbell.results.folder.trading_json import day_trading_json
from openbell.results.wide_sessions import MOST_SYMBOLS, is_wide, odd_records, odd_symbols, totals

if TYPE_CHECKING:
    from datetime import tzinfo

    from openbell.market_data.completeness import Gap
    from openbell.model.events import Event
    from openbell.model.json_object import JsonObject
    from openbell.provisioning.symbol_plan import SymbolPlan
    from openbell.results.plan_result import PlanResult
    from openbell.results.result import DayResult, RunResult
    from openbell.results.symbol import IndicatorResult, SeriesResult, SymbolResult

__all__ = ["day_json", "event_line", "plan_json", "record_json", "run_json"]


def run_json(run: RunResult) -> JsonObject:
    """Return the object of ``summary.json``."""
    return {
        "session_name": run.session_name,
        "mode": run.mode,
        "exchange": run.exchange,
        "warnings": list(run.warnings),
        **({} if run.store_label is None else {"store_label": run.store_label}),
        **({} if run.error is None else {"error": run.error}),
        "performance": None if run.trading is None else run.trading.performance.to_dict(),
        "days": [day_json(day) for day in run.days],
        "timing": {"load_s": round(run.load_s, 6), "run_s": round(run.run_s, 6)},
    }


def day_json(day: DayResult) -> JsonObject:
    """Return a session's entry in ``summary.json``.

    Of a session with many symbols it holds those with irregularities, and counts all.
    """
    symbols, records, dropped, counts = day.symbols, day.provisioning, list(day.dropped), {}
    if is_wide(day):
        odd = odd_symbols(day)
        symbols = {name: symbols[name] for name in odd[:MOST_SYMBOLS]}
        records = tuple(odd_records(records)[:MOST_SYMBOLS])
        dropped = dropped[:MOST_SYMBOLS]
        counts = {"totals": totals(day, odd)}
    return {
        "date": day.date.isoformat(),
        "open": _iso(day.open_ns, day.zone),
        "close": _iso(day.close_ns, day.zone),
        "first": _iso(day.first_ns, day.zone),
        "last": _iso(day.last_ns, day.zone),
        "symbols": {name: _symbol_json(symbol, day.zone) for name, symbol in symbols.items()},
        **counts,
        "dropped": {symbol: list(day.dropped[symbol]) for symbol in dropped},
        "provisioning": [record_json(record) for record in records],
        "signals": [_signal_json(signal) for signal in day.signals],
        "scans": [_scan_json(scan) for scan in day.scans],
        "bars_streamed": day.bars_streamed,
        "callbacks": day.callbacks,
        **({} if day.trading is None else {"trading": day_trading_json(day.trading)}),
    }


def plan_json(plan: PlanResult) -> JsonObject:
    """Return the object that ``openbell plan --json`` prints."""
    return {
        "session_name": plan.session_name,
        "mode": plan.mode,
        "exchange": plan.exchange,
        "warnings": list(plan.warnings),
        **({} if plan.store_label is None else {"store_label": plan.store_label}),
        "days": [
            {
                "date": day.date.isoformat(),
                "symbols": {name: _symbol_plan_json(symbol) for name, symbol in day.symbols.items()},
                "requirements": [
                    {"owner": r.owner, "symbol": r.symbol, "needs": list(r.needs), **_symbol_plan_json(r.plan)}
                    for r in day.requirements
                ],
                "rows": day.rows,
            }
            for day in plan.days
        ],
    }


def _symbol_plan_json(symbol: SymbolPlan) -> JsonObject:
    return {
        "can_proceed": symbol.can_proceed,
        "errors": list(symbol.errors),
        "warnings": list(symbol.warnings),
        "required_intervals": list(symbol.required_intervals),
        "base_interval": symbol.base_interval,
        "historical": {
            name: {**asdict(history), "first_date": history.first_date and history.first_date.isoformat()}
            for name, history in symbol.historical.items()
        },
        "adjustment": symbol.adjustment,
        "actions": [action.to_dict() for action in symbol.actions],
        "indicators": list(symbol.indicators),
        "steps": list(symbol.steps),
        "why": [asdict(need) for need in symbol.why],
        "rows": symbol.rows,
    }


def event_line(event: Event) -> str:
    """Return an event as its line in the run folder, without the line end."""
    if isinstance(event, ProvisioningRecord | ScanEvent | SignalEvent | StateEvent):
        return json.dumps(_event_json(event))
    # Imported here, so that a run without orders does not load it.
    from openbell.results.folder.trading_lines import trading_line

    return trading_line(event)


def _event_json(event: ProvisioningRecord | ScanEvent | SignalEvent | StateEvent) -> JsonObject:
    if isinstance(event, ProvisioningRecord):
        return record_json(event)
    if isinstance(event, StateEvent):
        return _state_json(event)
    # Scans and signals carry the date of their session, which journal.jsonl has never had.
    fields = _signal_json(event) if isinstance(event, SignalEvent) else _scan_json(event)
    return {"date": event.session_date.isoformat(), **fields}


def record_json(record: ProvisioningRecord) -> JsonObject:
    """Return an addition or removal as the journal has it."""
    return {
        "time": record.time.isoformat(),
        "operation_type": record.operation_type,
        "source": record.source,
        "owner": record.owner,
        "symbol": record.symbol,
        "required_intervals": list(record.required_intervals),
        "asked": {one.interval: {"bars": one.bars, "sessions": one.sessions} for one in record.asked},
        "steps": [{"name": step.name, "ms": step.ms} for step in record.steps],
        "ok": record.ok,
        "errors": list(record.errors),
        "warnings": list(record.warnings),
        "reason": record.reason,
    }


def _signal_json(signal: SignalEvent) -> JsonObject:
    return {
        "time": signal.time.isoformat(),
        "symbol": signal.symbol,
        "action": signal.action,
        "reason": signal.reason,
        "strategy": signal.strategy,
        **signal.numbers,
    }


def _state_json(event: StateEvent) -> JsonObject:
    return {
        "date": event.session_date.isoformat(),
        "time": event.time.isoformat(),
        "strategy": event.strategy,
        "state": json.loads(event.state),
    }


def _scan_json(scan: ScanEvent) -> JsonObject:
    return {"time": scan.time.isoformat(), "scanner": scan.scanner, "symbols": list(scan.symbols)}


def _symbol_json(symbol: SymbolResult, zone: tzinfo) -> JsonObject:
    return {
        "metadata": {
            "meets_session_config_requirements": symbol.meets_session_config_requirements,
            "added_by": symbol.added_by,
            "auto_provisioned": symbol.auto_provisioned,
            "upgraded_from_adhoc": symbol.upgraded_from_adhoc,
            "reason": symbol.reason,
        },
        "base_interval": symbol.base_interval,
        "adjustment": symbol.adjustment,
        "actions": [action.to_dict() for action in symbol.actions],
        "bars": {interval: _series_json(series, zone) for interval, series in symbol.bars.items()},
        "indicators": {key: _indicator_json(indicator) for key, indicator in symbol.indicators.items()},
    }


def _series_json(series: SeriesResult, zone: tzinfo) -> JsonObject:
    return {
        "derived": series.derived,
        "base": series.base,
        "historical_rows": series.historical_rows,
        "session_rows": series.session_rows,
        "synthetic_rows": series.synthetic_rows,
        "quality": series.quality,
        "historical_quality": series.historical_quality,
        "gaps": [_gap_json(gap, zone) for gap in series.gaps],
        "partial_rows": series.partial_rows,
    }


def _gap_json(gap: Gap, zone: tzinfo) -> JsonObject:
    return {"start": _iso(gap.start_ns, zone), "end": _iso(gap.end_ns, zone), "missing": gap.missing}


def _indicator_json(indicator: IndicatorResult) -> JsonObject:
    return {
        "interval": indicator.interval,
        "valid": indicator.valid,
        "settled": indicator.settled,
        "value": indicator.value,
        "lookback": indicator.lookback,
        "warmup_bars": indicator.warmup_bars,
    }


def _iso(time_ns: int, zone: tzinfo) -> str:
    return local_time(time_ns, zone).isoformat()
