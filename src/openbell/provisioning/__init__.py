"""Unified provisioning of symbols, bars and indicators."""

from openbell.provisioning.addition_sources import SOURCES, Source
from openbell.provisioning.analysis import OPERATIONS
from openbell.provisioning.context import ProvisioningContext, RunScope
from openbell.provisioning.journal import Journal
from openbell.provisioning.needs import Addition, Needs
from openbell.provisioning.provisioner import Provisioner
from openbell.provisioning.steps import STEPS, Plan, Step, StepWork
from openbell.provisioning.validation import RULES, Evidence
from openbell.provisioning.warm_up import analyze_indicator_requirements

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
