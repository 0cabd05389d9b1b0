"""In a notebook a store's address stands where its folder would, and shows the same."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from openbell.maintenance.copy import copy_store
from openbell.model.address import StoreAddress

if TYPE_CHECKING:
    from pathlib import Path

    from s3_server import S3Server

pytestmark = pytest.mark.long  # a server and a kernel

CELLS = [
    "import openbell\nfrom openbell import RunFolder, SystemManager, load_config\nfrom openbell.testing import prepare",
    'config = load_config("openbell-demo/session.yaml")',
    'SystemManager(config, store=STORE).run(RunFolder("runs/" + NAME, config))',
    'run = openbell.open_run("runs/" + NAME, store=STORE)\nrun',
    'session = run.session("2024-07-02")\nsession',
    'print(session.frame("EKKO", "5m", indicators=True))',
    'session.plot("EKKO", "5m")',
    "print(prepare(config, store=STORE).session_data.symbols)",
    'points = openbell.sweep(config, {"strategies.0.config.fast": [5, 8]}, store=STORE, out="points-" + NAME)',
    'print(points.drop("load_s", "run_s", "run"))',
]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Jupyter's own packages
def test_a_notebook_by_address_shows_what_one_by_folder_does(
    demo_master: Path, s3_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3_server.make_bucket("notebook")
    for name, value in s3_server.environment(tmp_path / "cache").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    address = StoreAddress("s3", "notebook", "bars")
    shutil.copytree(demo_master, tmp_path / "openbell-demo")
    copy_store(demo_master / "store", address)

    here = shown(tmp_path, "here", str(demo_master / "store"))
    there = shown(tmp_path, "there", str(address))

    assert [kinds for kinds, _ in there] == [kinds for kinds, _ in here]
    assert [text for _, text in there] == [text for _, text in here]
    assert sum("text/html" in kinds for kinds, _ in there) >= 4


def shown(folder: Path, name: str, store: str) -> list[tuple[list[str], str]]:
    """What cells show: the kinds of their outputs, and what they print."""
    import nbformat
    from nbclient import NotebookClient

    first = f"STORE, NAME = {store!r}, {name!r}"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in (first, *CELLS)])
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    return [
        (sorted(output.get("data", {})), output.get("text", ""))
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if output.get("name") != "stderr"
    ]
