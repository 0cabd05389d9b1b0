"""What those who join rely on agrees with the project: the lock file, the workflow, the hooks before a commit."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import yaml

PROJECT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = (PROJECT / "requirements.lock").read_text(encoding="utf-8")


def normal(requirement: str) -> str:
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name is not None
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def test_the_lock_has_every_dependency_and_names_no_index() -> None:
    extras = PYPROJECT["optional-dependencies"].values()
    wanted = [*PYPROJECT["dependencies"], *(one for extra in extras for one in extra)]
    locked = {normal(line) for line in LOCK.splitlines() if line and not line.startswith("#")}

    missing = {normal(one) for one in wanted} - locked - {"openbell"}

    assert missing == set(), "write requirements.lock anew; its second line says how"
    assert "://" not in LOCK


def test_the_workflow_runs_the_pythons_that_the_project_names_on_three_systems() -> None:
    workflow = yaml.safe_load((PROJECT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8"))
    named = [line.rpartition(" :: ")[2] for line in PYPROJECT["classifiers"] if re.search(r":: 3\.\d+$", line)]

    matrix = workflow["jobs"]["tests"]["strategy"]["matrix"]

    assert matrix["python"] == named
    assert {system.partition("-")[0] for system in matrix["os"]} == {"ubuntu", "macos", "windows"}
    assert "shared" not in str(workflow)


def test_the_hooks_name_files_that_are_there() -> None:
    (repo,) = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]

    named = [word for hook in repo["hooks"] for word in hook["entry"].split() if word.startswith("tests/")]

    assert repo["repo"] == "local"
    assert [name for name in named if not (PROJECT / name).is_file()] == []
    assert named
