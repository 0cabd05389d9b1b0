"""`openbell schema` prints a JSON Schema that describes the config."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from openbell.cli.app import app


def test_the_schema_tells_the_keys_and_refuses_others() -> None:
    result = CliRunner().invoke(app, ["schema"])
    schema = json.loads(result.stdout)

    assert result.exit_code == 0
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert set(schema["required"]) == {"session_data_config"}  # a live session has no days
    assert schema["additionalProperties"] is False
    assert "interval" in schema["$defs"]["IndicatorConfig"]["properties"]
