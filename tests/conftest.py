"""What all tests share: where the real market data is, and how hypothesis behaves."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

PROJECT = Path(__file__).resolve().parents[1]

# No deadline: a test must not fail because the machine was busy. Failures are reproducible from their printed example.
settings.register_profile("openbell", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("openbell")


@pytest.fixture(scope="session")
def lean_dir() -> Path:
    """The folder of real market data in LEAN's layout (it holds ``equity/usa/minute`` and so on).

    Looked for in the environment variable OPENBELL_REAL_DATA, then beside the project. Without it, tests are skipped;
    in CI (``CI=true``) they fail, so that a green run means that real data was met.
    """
    given = os.environ.get("OPENBELL_REAL_DATA")
    folder = Path(given) if given else PROJECT.parent / "shared" / "data" / "lean"
    if (folder / "equity").is_dir():
        return folder
    message = f"no real market data at {folder}; set OPENBELL_REAL_DATA to a folder in LEAN's layout"
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(message)
    pytest.skip(message)
