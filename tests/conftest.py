"""What all tests share: where the real market data is, and how hypothesis behaves."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from how_many import EXAMPLES
from s3_server import S3Server, running_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openbell.store.store import BarStore

PROJECT = Path(__file__).resolve().parents[1]

# No deadline: a test must not fail because the machine was busy. Failures are reproducible from their printed example.
# Examples are others at every run; OPENBELL_EXAMPLES=1000 looks longer.
settings.register_profile(
    "openbell", deadline=None, max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow]
)
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


@pytest.fixture(scope="session")
def minute_store(lean_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of the real minute and daily bars of SPY, IBM, AIG and BAC; to be read only."""
    return _imported(lean_dir, tmp_path_factory.mktemp("real") / "minutes", ["1m", "1d"])


@pytest.fixture(scope="session")
def second_store(lean_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of the real second bars of these symbols, and of nothing else; to be read only."""
    return _imported(lean_dir, tmp_path_factory.mktemp("real") / "seconds", ["1s"])


@pytest.fixture(scope="session")
def lean_store(lean_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> BarStore:
    """A store of all real bars; tests must not write to it."""
    from openbell.importers.lean.lean import import_lean
    from openbell.store.store import BarStore

    store = BarStore.open_or_create(tmp_path_factory.mktemp("lean") / "store")
    import_lean(lean_dir, store)
    return store


@pytest.fixture(scope="session")
def demo_master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's folder as its first run leaves it; to be copied, not written to."""
    from openbell.demo import make_demo_folder

    return make_demo_folder(tmp_path_factory.mktemp("demo") / "openbell-demo").path


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """A real S3 server, one for all tests."""
    yield from running_server()


@pytest.fixture
def own_store(minute_store: Path, tmp_path: Path) -> Path:
    """A copy of the `minute_store` that a test may damage."""
    return shutil.copytree(minute_store, tmp_path / "store")


def _imported(lean_dir: Path, folder: Path, intervals: list[str]) -> Path:
    from openbell.importers.lean.lean import import_lean
    from openbell.store.store import BarStore

    import_lean(lean_dir, BarStore.open_or_create(folder), symbols=["SPY", "IBM", "AIG", "BAC"], intervals=intervals)
    return folder
