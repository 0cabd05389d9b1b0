"""Unified provisioning: every addition is analysed, validated and provisioned the same way."""

from openbell.provisioning.analysis import analyze_requirements
from openbell.provisioning.context import ProvisioningContext
from openbell.provisioning.journal import Journal
from openbell.provisioning.operations import OPERATIONS, analyze_indicator_requirements
from openbell.provisioning.provisioner import Provisioner
from openbell.provisioning.requirements import Addition, ProvisioningRequirements
from openbell.provisioning.sources import SOURCES, Source
from openbell.provisioning.steps import STEPS, StepWork
from openbell.provisioning.validation import RULES, SymbolValidationResult

__all__ = [
    "OPERATIONS",
    "RULES",
    "SOURCES",
    "STEPS",
    "Addition",
    "Journal",
    "Provisioner",
    "ProvisioningContext",
    "ProvisioningRequirements",
    "Source",
    "StepWork",
    "SymbolValidationResult",
    "analyze_indicator_requirements",
    "analyze_requirements",
]
