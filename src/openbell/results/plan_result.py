"""Typed result of ``openbell plan``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openbell.results.folder.as_json import plan_json
from openbell.results.mapping import JsonMapping

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from openbell.model.json_object import JsonObject
    from openbell.provisioning.symbol_plan import SymbolPlan

__all__ = ["DayPlan", "PlanResult", "RequirementPlan"]


@dataclass(frozen=True, slots=True)
class RequirementPlan:
    """Requirements of one scanner or strategy for one symbol.

    Attributes:
        owner: The scanner or strategy, e.g. "strategy EmaCross".
        symbol: The symbol.
        needs: What it declares: intervals and keys of indicators.
        plan: The plan of these needs.
    """

    owner: str
    symbol: str
    needs: tuple[str, ...]
    plan: SymbolPlan


@dataclass(frozen=True, slots=True)
class DayPlan:
    """The needs of one session.

    Attributes:
        date: The session.
        symbols: The symbols of the config, with the history that they and all requirements need.
        requirements: What scanners and strategies require, in the order in which it is provisioned.
    """

    date: date
    symbols: Mapping[str, SymbolPlan]
    requirements: tuple[RequirementPlan, ...] = ()

    @property
    def rows(self) -> int:
        """Number of stored rows to read for all symbols."""
        rows = {name: symbol.rows for name, symbol in self.symbols.items()}
        for required in self.requirements:
            rows[required.symbol] = max(rows.get(required.symbol, 0), required.plan.rows)
        return sum(rows.values())


@dataclass(frozen=True, eq=False)
class PlanResult(JsonMapping):
    """The needs of a run, day by day.

    It is also a read-only mapping equal to what ``openbell plan --json`` prints.

    Attributes:
        session_name: From the config.
        mode: From the config.
        exchange: From the config.
        warnings: Warnings about calendar and data.
        store_label: The label of the store; None when it has none.
        days: The sessions of the config.
    """

    session_name: str
    mode: str
    exchange: str
    warnings: tuple[str, ...]
    store_label: str | None
    days: tuple[DayPlan, ...]

    def __repr__(self) -> str:
        return f"<PlanResult {self.session_name!r}: {len(self.days)} sessions>"

    def _repr_html_(self) -> str:
        from openbell.results.result_html import plan_html

        return plan_html(self)

    def to_dict(self) -> JsonObject:
        """Return the object that ``openbell plan --json`` prints."""
        return plan_json(self)
