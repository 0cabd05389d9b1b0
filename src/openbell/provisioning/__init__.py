"""Unified provisioning of symbols, bars and indicators."""

from openbell.provisioning.context import ProvisioningContext, RunScope
from openbell.provisioning.journal import Journal
from openbell.provisioning.needs import Addition, Needs
from openbell.provisioning.operations import OPERATIONS, analyze_indicator_requirements
from openbell.provisioning.provisioner import Provisioner
from openbell.provisioning.sources import SOURCES, Source
from openbell.provisioning.steps import STEPS, Plan, Step, StepWork
from openbell.provisioning.validation import RULES, Evidence

__all__ = [
    "OPERATIONS",
    "RULES",
    "SOURCES",
    "STEPS",
    "Addition",
    "Evidence",
    "Journal",
    "Needs",
    "Plan",
    "Provisioner",
    "ProvisioningContext",
    "RunScope",
    "Source",
    "Step",
    "StepWork",
    "analyze_indicator_requirements",
]
