"""The notebooks of the documentation run from their first cell to their last, and what they draw is drawn."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize("name", [path.stem for path in sorted(DOCS.glob("*.ipynb"))])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Jupyter's own packages
def test_a_notebook_runs(name: str, demo_master: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nbformat
    from nbclient import NotebookClient

    shutil.copytree(demo_master, tmp_path / "openbell-demo")
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = nbformat.read(DOCS / f"{name}.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "it is kept without outputs"

    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()

    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    html = [output["data"]["text/html"] for output in outputs if "text/html" in output.get("data", {})]
    assert sum("<iframe srcdoc=" in one for one in html) >= 2
    assert len(html) >= 4
    assert not any("Traceback" in output.get("text", "") for output in outputs)


def test_there_are_two() -> None:
    assert len(list(DOCS.glob("*.ipynb"))) == 2
