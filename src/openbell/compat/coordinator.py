"""The methods of the coordinator that have the names of the specification."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openbell.provisioning.needs import Addition
from openbell.provisioning.validation import RULES, Evidence

if TYPE_CHECKING:
    from openbell.compat.requirements import ProvisioningRequirements
    from openbell.provisioning.context import ProvisioningContext
    from openbell.provisioning.provisioner import Provisioner
    from openbell.session import SessionData

__all__ = ["CompatCoordinator", "SymbolValidationResult"]


@dataclass(frozen=True, slots=True)
class SymbolValidationResult:
    """Result of validating a symbol as the config asks for it.

    Attributes:
        symbol: The symbol.
        can_proceed: Whether every rule passed.
        errors: The errors of the rules that failed.
        warnings: What is less than was asked for, but does not prevent it.
        data_source_available: Whether the store knows the symbol.
        has_historical_data: Whether the history reaches back far enough.
        has_parquet_data: Whether the store has the intervals that it takes, or finer ones that build them.
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
        """All errors in one text (empty when it can proceed)."""
        return "; ".join(self.errors)


class CompatCoordinator(ABC):
    """The part of the coordinator with the names of the specification."""

    session_data: SessionData
    provisioner: Provisioner

    @abstractmethod
    def context_of(self, session_data: SessionData) -> ProvisioningContext:
        """Return the context of provisioning as seen from a session."""

    def add_symbol(self, symbol: str, added_by: str = "strategy") -> bool:
        """Add a full symbol, or upgrade an ad hoc one.

        Returns:
            Whether it is full now; if not, the journal has the reasons.
        """
        return self.provisioner.add_symbol(symbol, source=added_by)

    def remove_symbol(self, symbol: str, removed_by: str = "strategy") -> bool:
        """Remove what only ``removed_by`` needs of a symbol, and return whether that was possible."""
        return self.provisioner.remove_symbols([symbol], source=removed_by)[0]

    def lock_symbol(self, symbol: str, reason: str = "in use", locked_by: str = "strategy") -> bool:
        """Forbid the removal of a symbol, and return whether it is in the session."""
        return self.provisioner.lock_symbol(symbol, reason=reason, source=locked_by)

    def unlock_symbol(self, symbol: str, unlocked_by: str = "strategy") -> bool:
        """Give up all locks of ``unlocked_by``, and return whether there was one.

        By default, those are the locks of all strategies, and of `lock_symbol`.
        """
        return self.provisioner.unlock_symbol(symbol, source=unlocked_by)

    def _execute_provisioning(self, req: ProvisioningRequirements) -> bool:
        """Carry out all steps of analysed requirements, or none."""
        from openbell.compat.requirements import plan_of

        return self.provisioner.execute([plan_of(req, self.provisioner.context)])[0]

    def _validate_symbol_for_loading(self, symbol: str) -> SymbolValidationResult:
        """Run all rules on a symbol without changing anything."""
        addition = Addition("symbol", symbol, "config")
        # Not by a plan, which does not validate a symbol that is loaded already.
        needs, proof = self.provisioner.prove(addition)
        context, found = self.provisioner.context, proof.histories
        evidence = Evidence(addition, needs, found)
        return SymbolValidationResult(
            symbol=symbol,
            can_proceed=not proof.errors,
            errors=proof.errors,
            warnings=proof.warnings,
            data_source_available=RULES.get("data_source")(evidence, context) is None,
            has_historical_data=bool(found) and RULES.get("historical_availability")(evidence, context) is None,
            has_parquet_data=bool(found) and found.keys() == needs.intervals.keys(),
        )

    def _check_data_source_for_symbol(self, symbol: str) -> bool:
        """Return whether the store knows the symbol."""
        return self._validate_symbol_for_loading(symbol).data_source_available

    def _check_historical_data_availability(self, symbol: str) -> bool:
        """Return whether the symbol's history reaches back far enough for all that the config asks."""
        return self._validate_symbol_for_loading(symbol).has_historical_data

    def _check_parquet_data(self, symbol: str) -> bool:
        """Return whether the store has what the symbol's bars are read from or built of."""
        return self._validate_symbol_for_loading(symbol).has_parquet_data
