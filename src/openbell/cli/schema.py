"""The command ``openbell schema``."""

from __future__ import annotations

from openbell.cli.terminal.console import print_json


def schema() -> None:
    """Print the JSON Schema of the session config, for editors."""
    from openbell.config import SessionConfig

    print_json({"$schema": "https://json-schema.org/draft/2020-12/schema", **SessionConfig.model_json_schema()})
