"""The names of the specification that nothing else of openbell calls."""

from openbell.compat.coordinator import SeedCoordinator, SymbolValidationResult
from openbell.compat.requirements import ProvisioningRequirements, analyze_requirements

__all__ = ["ProvisioningRequirements", "SeedCoordinator", "SymbolValidationResult", "analyze_requirements"]
