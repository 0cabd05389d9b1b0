"""Whether an engine did the same work as the floor: it is not timed before it does."""

from __future__ import annotations

from typing import Any

VALUES = 1e-5
"""How far final values may lie apart, relatively: engines start an EMA differently (TA-Lib, openbell and backtrader
with an SMA, NautilusTrader, vectorbt and zipline's rule with the first value), and openbell starts it afresh each day,
with history until the start shows by less than 1e-4 of its error."""
CROSSINGS = 0.002
"""The share of crossings that may lie elsewhere: where both averages are equal but for that error."""


EQUITY = 1e-6
"""How far equity at the end may lie apart, relatively."""


def orders_disagreement(result: dict[str, Any], reference: dict[str, Any], *, at_same_moments: bool) -> dict[str, Any]:
    """How far an engine is from another one that traded by the same rule: fills by symbol, equity at the end.

    Args:
        result: What the engine told.
        reference: What the other one told.
        at_same_moments: Whether both fill at the same moments; else their order, units and prices are compared.
    """

    def fills_of(run: dict[str, Any]) -> set[tuple[Any, ...]]:
        numbers: dict[str, int] = {}
        found = set()
        for ns, symbol, units, price in run.get("fills", []):
            numbers[symbol] = numbers.get(symbol, -1) + 1
            found.add((ns if at_same_moments else numbers[symbol], symbol, units, price))
        return found

    ours, theirs = fills_of(result), fills_of(reference)
    apart, equity = len(ours ^ theirs) / 2, abs(result["equity"] / reference["equity"] - 1)
    problems = []
    if apart:
        problems.append(f"{apart:g} of {len(theirs):,} fills are others")
    if result["callbacks"] != reference["callbacks"]:
        problems.append(f"{result['callbacks']:,} callbacks, not {reference['callbacks']:,}")
    if equity > EQUITY:
        problems.append(f"equity at the end differs by {equity:.1e}")
    return {"crossings": len(theirs), "crossings_apart": apart, "values_apart": equity, "problems": problems}


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
