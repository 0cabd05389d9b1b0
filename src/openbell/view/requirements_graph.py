"""Graph of a symbol's requirements, with the numbers of bars that were asked for and found."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from openbell.errors import printable
from openbell.view.addresses import query
from openbell.view.graph import Edge, Node, graph_figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup

    from openbell.model.json_object import JsonObject
    from openbell.view.symbol_facts import IndicatorFacts, SeriesFacts

__all__ = ["brought_by", "clock_of", "requirements_graph"]

_MOST_BOXES = 14
_MOST_INDICATORS = 28
_POOR = 99.0
_NOT_ASKED = ("remove", "lock", "unlock")
_HEADS = ("who asked", "addition", "bars", "indicators")


def requirements_graph(
    symbol: str,
    records: Sequence[JsonObject],
    facts: tuple[list[SeriesFacts], list[IndicatorFacts]],
    expected: Mapping[str, int],
    session: str,
) -> Markup:
    """Return a graph of a symbol's owners, their additions, and the resulting bars and indicators.

    Args:
        symbol: The symbol.
        records: The records of the symbol in the journal of the session.
        facts: The series and indicators of the symbol.
        expected: How many bars the calendar expects in the session, by interval.
        session: The address of the session's page.
    """
    series, indicators = facts
    nodes: list[Node] = []
    edges: list[Edge] = []
    for number, record in enumerate(records[:_MOST_BOXES]):
        owner, key = f"owner {record['owner']}", f"record {number}"
        if all(node.key != owner for node in nodes):
            nodes.append(_owner_node(owner, record, records))
        nodes.append(_record_node(key, record, f"#record-{number}"))
        edges.append(Edge(owner, key))
        if record["ok"] and record["operation_type"] != "remove":
            edges += [
                Edge(key, f"bars {one.interval}") for one in series if one.interval in record["required_intervals"]
            ]
    for one in series:
        address = f"{session}?{query(symbol=printable(symbol), interval=one.interval)}"
        nodes.append(_series_node(one, expected.get(one.interval, 0), _most_asked(records, one.interval), address))
        edges += [
            Edge(f"bars {other.interval}", f"bars {one.interval}") for other in series if other.interval == one.base
        ]
    for indicator in indicators[:_MOST_INDICATORS]:
        nodes.append(_indicator_node(indicator, brought_by(indicator.key, records, indicator.interval)))
        edges += [
            Edge(f"bars {one.interval}", f"indicator {indicator.key}")
            for one in series
            if one.interval == indicator.interval
        ]
    return graph_figure(nodes, edges, _HEADS, f"Who asked for {symbol}, and what came of it")


def brought_by(of: str, records: Sequence[JsonObject], interval: str = "") -> str:
    """Return the address of the record that added bars or an indicator, empty when there is none.

    Args:
        of: An interval, or the key of an indicator.
        records: The records of the symbol in the journal of the session.
        interval: The interval of the indicator's bars; the end of its key unless given.
    """
    of_bars = interval or of.rpartition("_")[2]
    own = [n for n, record in enumerate(records) if of in record["reason"].partition(":")[0].split(", ")]
    first = [n for n, record in enumerate(records) if record["ok"] and of_bars in record["required_intervals"]]
    found = (own or first)[:1]
    return f"#record-{found[0]}" if found else ""


def clock_of(record: JsonObject) -> str:
    """Return the time of day of a record, in the exchange's time zone."""
    return f"{datetime.fromisoformat(record['time']):%H:%M:%S}".removesuffix(":00")


def _most_asked(records: Sequence[JsonObject], interval: str) -> tuple[int, int]:
    """Return the most bars and the most sessions of history that any addition asked for."""
    found = [one for record in records if (one := record.get("asked", {}).get(interval))]
    return max((one["bars"] for one in found), default=0), max((one["sessions"] for one in found), default=0)


def _depth(bars: int, sessions: int) -> str:
    words = [f"{bars:,} bars"] if bars else []
    words += [f"{sessions:,} day{'s' * (sessions > 1)}"] if sessions else []
    return " and ".join(words)


def _owner_node(key: str, record: JsonObject, records: Sequence[JsonObject]) -> Node:
    source = "symbols of the config" if record["source"] == "config" else f"a {record['source']}"
    own = [one for one in records if one["owner"] == record["owner"] and one["operation_type"] not in _NOT_ASKED]
    done = sum(bool(one["ok"]) for one in own)
    more = f"asked for {len(own):,} addition{'s' * (len(own) != 1)}, got {done:,}" if own else ""
    return Node(key, 0, record["owner"], source, "asker", more=more)


def _record_node(key: str, record: JsonObject, address: str) -> Node:
    failed = not record["ok"] and bool(record["errors"])
    words = f"{', '.join(record['required_intervals']) or 'nothing more'} at {clock_of(record)}"
    title = f"{record['operation_type']} {record['symbol']}" + (" refused" if failed else "")
    asked = [f"{_depth(**one)} of {name}" for name, one in record.get("asked", {}).items()]
    none = "no history asked" if "asked" in record and record["required_intervals"] else ""
    history = f"asked {', '.join(asked)} before" if asked else none
    return Node(key, 1, title, words, "refused" if failed else "added", address, history)


def _series_node(one: SeriesFacts, expected: int, asked: tuple[int, int], address: str) -> Node:
    made = f", of {one.base}" if one.base else ""
    poor = one.quality is not None and one.quality < _POOR
    wanted = f", asked {_depth(*asked)}" if any(asked) else ""
    days = f" ({one.history / expected:.3g} days)" if expected > 1 and asked[1] and one.history else ""
    return Node(
        f"bars {one.interval}", 2, f"{one.interval} bars{made}", f"{one.today:,} of {expected:,} today",
        "poor" if poor else "bars", address, f"{one.history:,} before{days}{wanted}",
    )  # fmt: skip


def _indicator_node(one: IndicatorFacts, address: str) -> Node:
    state = "settled" if one.settled else "not settled: its start still shows" if one.valid else "no value"
    words = f"{one.lookback:,} bars asked, {one.warmup:,} got before"
    return Node(
        f"indicator {one.key}", 3, one.key, words, "indicator" if one.settled else "poor", address, state
    )  # fmt: skip
