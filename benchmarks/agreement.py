"""Whether an engine did the same work as the floor: it is not timed before it does."""

from __future__ import annotations

from typing import Any

VALUES = 1e-5
"""How far final values may lie apart, relatively: engines start an EMA differently (TA-Lib, openbell and backtrader
with an SMA, NautilusTrader, vectorbt and zipline's rule with the first value), and openbell starts it afresh each day,
with history until the start shows by less than 1e-4 of its error."""
CROSSINGS = 0.002
"""The share of crossings that may lie elsewhere: where both averages are equal but for that error."""


def disagreement(result: dict[str, Any], floor: dict[str, Any], settled_ns: int) -> dict[str, Any]:
    """How far an engine is from the floor: callbacks, crossings after ``settled_ns`` that only one has, final values.

    Returns:
        The numbers, and under ``problems`` what is out of bounds.
    """
    ours, theirs = (
        {tuple(crossing) for crossing in run.get("crossings", []) if crossing[0] >= settled_ns}
        for run in (result, floor)
    )
    apart = len(ours ^ theirs) / 2
    values = [
        abs(a - b) / max(abs(b), 1e-12)
        for name, expected in floor["final"].items()
        for a, b in zip(result["final"].get(name, ()), expected, strict=False)
    ]
    worst = max(values, default=0.0)
    problems = []
    if result["callbacks"] != floor["callbacks"]:
        problems.append(f"{result['callbacks']:,} callbacks, not {floor['callbacks']:,}")
    if result["final"].keys() != floor["final"].keys():
        problems.append("final values of other symbols")
    if apart > CROSSINGS * len(theirs):
        problems.append(f"{apart:g} of {len(theirs):,} crossings lie elsewhere")
    if worst > VALUES:
        problems.append(f"final values differ by {worst:.1e}")
    return {"crossings": len(theirs), "crossings_apart": apart, "values_apart": worst, "problems": problems}
