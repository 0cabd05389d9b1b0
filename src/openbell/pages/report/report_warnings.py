"""Warnings to read before the numbers of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from openbell.pages.report.assumptions import costs_nothing, is_at_broker

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from openbell.config import SessionConfig
    from openbell.model.json_object import JsonObject
    from openbell.pages.report.data_used import PoorSeries, RefusalCount
    from openbell.results.folder.stored_run import StoredRun

__all__ = ["ReportWarning", "warnings_of"]

_FEW_SESSIONS = 60
_POOR = 95.0
_MOST_BREACHES = 5


class ReportWarning(NamedTuple):
    """A warning.

    Attributes:
        severity: "bad" if it makes numbers wrong or ended the run, else "doubt".
        text: The warning.
        place: The id of the section with details; empty when there is none.
    """

    severity: str
    text: str
    place: str = ""


def warnings_of(
    run: StoredRun,
    summary: JsonObject,
    config: SessionConfig | None,
    dropped: Sequence[RefusalCount],
    poor: Sequence[PoorSeries],
) -> Iterator[ReportWarning]:
    """Yield all warnings, the worst first."""
    if run.state != "done":
        yield ReportWarning("bad", f"The run is {run.state}: {run.problem}")
    if run.store_label is not None:
        yield ReportWarning("bad", f"The store is labelled {run.store_label}.")
    for text in summary.get("warnings") or ():
        yield ReportWarning("doubt", _sentence(str(text)))
    yield from _of_trading(run, summary, config)
    if dropped:
        names = ", ".join(dict.fromkeys(one.what for one in dropped[:6])) + (" ..." if len(dropped) > 6 else "")
        yield ReportWarning("doubt", f"Symbols of the config were dropped: {names}.", "dropped")
    low = [one for one in poor if one.lowest < _POOR]
    if low:
        of = f"{low[0].symbol} {low[0].interval} had {low[0].lowest:.2f} % of its bars on {low[0].worst}"
        more = f", and {len(low) - 1:,} more series had less than {_POOR:g} %" if len(low) > 1 else ""
        yield ReportWarning("doubt", f"Bars were missing: {of}{more}.", "quality")


def _of_trading(run: StoredRun, summary: JsonObject, config: SessionConfig | None) -> Iterator[ReportWarning]:
    numbers = run.performance
    if numbers is None:
        return
    execution = None if config is None or is_at_broker(config) else config.execution
    if execution is not None and execution.fills.market == "this_close":
        text = "Market orders filled at the close of the bar just seen: in a market it is over when it is known."
        yield ReportWarning("bad", text, "assumed")
    if execution is not None and costs_nothing(execution):
        yield ReportWarning("bad", "Neither fees nor slippage were charged: a market charges both.", "assumed")
    if 0 < len(run.days) < _FEW_SESSIONS:
        sessions = f"{len(run.days):,} session{'' if len(run.days) == 1 else 's'}"
        yield ReportWarning("doubt", f"Numbers a year are made of {sessions}: hardly more than a guess.", "earned")
    if numbers["ambiguous_fills"]:
        count = int(numbers["ambiguous_fills"])
        which = "worse" if execution is None else execution.fills.both_touched
        yield ReportWarning(
            "doubt",
            f"{count:,} fill{' is' if count == 1 else 's are'} ambiguous: a bar touched two prices, nothing finer is "
            f"stored to tell which came first, and the {which} was taken.",
            "assumed",
        )
    if numbers["rejected"]:
        count = int(numbers["rejected"])
        yield ReportWarning("doubt", f"{count:,} order{' was' if count == 1 else 's were'} rejected.", "refused")
    days = [trading for day in summary.get("days") or () if isinstance(trading := day.get("trading"), dict)]
    breaches = [str(text) for trading in days for text in trading.get("breaches") or ()]
    for text in breaches[:_MOST_BREACHES]:
        yield ReportWarning("bad", _sentence(text))
    if len(breaches) > _MOST_BREACHES:
        yield ReportWarning(
            "bad", f"{len(breaches) - _MOST_BREACHES:,} more margin calls and limits are in summary.json."
        )
    without = sorted({str(symbol) for trading in days for symbol in trading.get("without_bars") or ()})
    if without:
        names = ", ".join(without[:6]) + (" ..." if len(without) > 6 else "")
        yield ReportWarning("doubt", f"Held without bars, at the last price: {names}.")


def _sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
