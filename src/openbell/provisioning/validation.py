"""Phase 2, validate: can what is required be had? A list of small rules, all of which run; nothing is touched.

A rule is a function ``(requirement, context) -> error or None``. Adding a rule is adding a function to `RULES`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from traceback import format_exc
from typing import TYPE_CHECKING

from openbell.errors import DataError, OpenbellError, command_on
from openbell.logs import get_logger
from openbell.model.interval import why_underivable
from openbell.provisioning.context import ProvisioningContext
from openbell.provisioning.history import prove_history
from openbell.provisioning.quality import history_is_good_enough
from openbell.provisioning.requirements import ProvisioningRequirements
from openbell.registry import Registry

if TYPE_CHECKING:
    from openbell.provisioning.requirements import HistoryProof, IndicatorNeed

__all__ = ["RULES", "Rule", "SymbolValidationResult", "check_rule", "validate"]

Rule = Callable[[ProvisioningRequirements, ProvisioningContext], "str | None"]

RULES: Registry[Rule] = Registry("validation rule")
"""All rules by name, in the order in which they report; register more with ``RULES.add(name, function)``."""


@dataclass(frozen=True, slots=True)
class SymbolValidationResult:
    """Whether a symbol can be loaded as the config asks, and all that stands against it.

    Attributes:
        symbol: The symbol.
        can_proceed: Whether every rule passed.
        errors: What the failed rules said.
        warnings: What is less than was asked for, but does not stop it.
        data_source_available: Whether the store knows the symbol.
        has_historical_data: Whether the history reaches back far enough.
        has_parquet_data: Whether the store has bars of the session itself.
    """

    symbol: str
    can_proceed: bool
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    data_source_available: bool
    has_historical_data: bool
    has_parquet_data: bool

    @property
    def reason(self) -> str:
        """All errors in one text; empty when it can proceed."""
        return "; ".join(self.errors)


def validate(req: ProvisioningRequirements, context: ProvisioningContext) -> None:
    """Prove the history of every interval, run all rules, and note on ``req`` what they say."""
    errors: dict[str, None] = {}
    damage: dict[str, list[str]] = {}
    together = tuple(req.intervals.values())
    for name, need in req.intervals.items():
        if str(need.base) not in context.stored_intervals(req.symbol):
            continue
        try:
            req.proofs[name] = prove_history(req.symbol, need, context, together)
        except DataError as error:
            damage.setdefault(str(error), []).append(name)
        except OpenbellError as error:
            errors[f"{name}: {error}"] = None
    # One damaged file is one error, however many intervals are built from it.
    errors |= {f"load_historical cannot have {', '.join(names)} bars: {error}": None for error, names in damage.items()}
    for name in RULES.names():
        error_text = _verdict(name, req, context)
        if error_text:
            errors[error_text] = None
    req.validation_errors = list(errors)
    req.warnings = _shortfalls_to_warn_of(req, context)
    req.can_proceed = not errors
    req.symbol_validated = True


def _verdict(name: str, req: ProvisioningRequirements, context: ProvisioningContext) -> str | None:
    """What a rule says; one that raises does not pass."""
    try:
        return check_rule(name, req, context)
    except Exception as error:  # noqa: BLE001 -- a rule from outside may raise anything; the journal tells it
        known = isinstance(error, OpenbellError)
        trace = {} if known else {"exception": format_exc()}
        get_logger().warning("rule failed", symbol=req.symbol, rule=name, error=str(error), **trace)
        return (
            f"the rule {name} failed: {error}" if known else f"the rule {name} failed: {type(error).__name__}: {error}"
        )


def check_rule(name: str, req: ProvisioningRequirements, context: ProvisioningContext) -> str | None:
    """What one rule says of a requirement."""
    return RULES.get(name)(req, context)


def _data_source_knows_symbol(req: ProvisioningRequirements, context: ProvisioningContext) -> str | None:
    manager = context.data_manager
    if not req.required_intervals or context.stored_intervals(req.symbol):
        return None
    hint = manager.hint(req.symbol) or f" To see what it holds: `{command_on('data ls', manager.store.path)}`."
    return f"the store {manager.store.path} has no bars of {req.symbol}.{hint} Import its data, or take it out."


def _intervals_can_be_built(req: ProvisioningRequirements, context: ProvisioningContext) -> str | None:
    held = context.stored_intervals(req.symbol)
    return " ".join(why_underivable(req.required_intervals, held)) or None if held else None


def _session_has_bars(req: ProvisioningRequirements, context: ProvisioningContext) -> str | None:
    """The finest base streams the session; without one bar of it there is no session for the symbol.

    A symbol on daily bars alone may be looked at in a session that has not closed.
    """
    proof = req.proofs.get(req.base_interval or "")
    if proof is None or not proof.need.interval.is_intraday or proof.session_bars:
        return None
    coverage = context.data_manager.coverage(req.symbol, str(proof.need.base))
    held = f"; the store has {coverage.first:%Y-%m-%d} to {coverage.last:%Y-%m-%d}" if coverage else ""
    return f"{req.symbol} has no {req.base_interval} bars on {context.day}{held}. Import that day, or leave it out."


def _history_meets_lookback(req: ProvisioningRequirements, context: ProvisioningContext) -> str | None:
    if context.config.session_data_config.on_shortfall == "warm":
        return None
    return " ".join(_lookback_shortfalls(req)) or None


RULES.add("data_source", _data_source_knows_symbol)
RULES.add("intervals", _intervals_can_be_built)
RULES.add("parquet_data", _session_has_bars)
RULES.add("historical_availability", _history_meets_lookback)
RULES.add("min_quality", history_is_good_enough)


def _lookback_shortfalls(req: ProvisioningRequirements) -> list[str]:
    """Each indicator that lacks bars for its first value, with the numbers."""
    texts = []
    for indicator in req.indicators:
        proof = req.proofs.get(str(indicator.interval))
        if proof is None:
            continue
        if proof.visible_bars < indicator.valid_after:
            texts.append(_short(req, indicator, proof, indicator.valid_after, proof.visible_bars, "bars"))
        elif proof.sessions < indicator.lookback_sessions:
            texts.append(_short(req, indicator, proof, indicator.lookback_sessions, proof.sessions, "earlier sessions"))
    return texts


def _short(
    req: ProvisioningRequirements, indicator: IndicatorNeed, proof: HistoryProof, needs: int, has: int, unit: str
) -> str:
    return (
        f"{req.symbol} {indicator.key} needs {needs} {unit} of {indicator.interval}, has {has}: the store's "
        f"{proof.need.base} bars begin {proof.available_from}. Import earlier data, start later, or set "
        "session_data_config.on_shortfall: warm."
    )


def _shortfalls_to_warn_of(req: ProvisioningRequirements, context: ProvisioningContext) -> list[str]:
    """What was asked for and got only in part, where that is no error."""
    texts = _lookback_shortfalls(req) if context.config.session_data_config.on_shortfall == "warm" else []
    for indicator in req.indicators:
        proof = req.proofs.get(str(indicator.interval))
        if proof is None:
            continue
        if indicator.settling is None:
            texts.append(f"{indicator.key} is cumulative: it never settles, and counts from its first bar on")
        elif indicator.valid_after <= proof.visible_bars < indicator.settled_after:
            texts.append(
                f"{indicator.key} settles after {indicator.settled_after} bars of {indicator.interval} and has "
                f"{proof.visible_bars}: its starting point still shows"
            )
    for name, proof in req.proofs.items():
        empty = context.sessions_since(proof.first_session) - proof.sessions if _is_of_sessions(proof) else 0
        if empty > 0 and proof.need.bars:
            lack = "1 session since then has" if empty == 1 else f"{empty} sessions since then have"
            texts.append(f"{name}: the warm-up reaches back to {proof.first_session}, because {lack} no bars")
        texts += _trailing_shortfall(name, proof, context)
    return texts


def _trailing_shortfall(name: str, proof: HistoryProof, context: ProvisioningContext) -> list[str]:
    """What is missing of the trailing sessions; bars of several sessions are not counted against sessions."""
    asked = proof.need.trailing_sessions
    if proof.sessions >= asked:
        return []
    tm = context.time_manager
    begun = proof.available_from is not None and tm.first_session_on_or_after(proof.available_from)
    late = begun and tm.session_before(context.day, asked) < begun
    begin = f"the store's {proof.need.base} bars begin {proof.available_from}"
    if _is_of_sessions(proof):
        text = f"{name}: {asked} trailing sessions were asked for, {proof.sessions} have bars"
        return [f"{text} ({begin})" if late else text]
    if late:
        return [f"{name}: {asked} trailing sessions were asked for, but {begin}"]
    if not proof.sessions:
        return [f"{name}: no whole {name} bar lies in {asked} trailing sessions; ask for more, to have one"]
    return []


def _is_of_sessions(proof: HistoryProof) -> bool:
    """Whether every session of the calendar should have a bar of its own."""
    interval = proof.need.interval
    return interval.is_intraday or str(interval) == "1d"
