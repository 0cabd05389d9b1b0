"""A fingerprint reads the code that a config runs, and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from openbell.sweeps.fingerprint import source_files

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        "mine.py": "import beside\nfrom kit import tools\nimport numpy\n",
        "beside.py": "def f():\n    import late\n",
        "late.py": "import mine  # a circle\n",
        "kit/__init__.py": "",
        "kit/tools.py": "from . import more\nfrom .deep.end import x\n",
        "kit/more.py": "",
        "kit/deep/__init__.py": "",
        "kit/deep/end.py": "from ..sibling import y\n",
        "kit/sibling.py": "",
        "kit/unused.py": "",
        "unused.py": "",
        "broken.py": "def (",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def names(folder: Path, *modules: str) -> set[str]:
    return {str(path.relative_to(folder.resolve())) for path in source_files(modules, folder)}


KIT = {"kit/__init__.py", "kit/tools.py", "kit/more.py", "kit/deep/__init__.py", "kit/deep/end.py", "kit/sibling.py"}


def test_it_follows_imports_within_the_folder(folder: Path) -> None:
    assert names(folder, "mine.py:C") == {"mine.py", "beside.py", "late.py"} | KIT
    assert names(folder, "mine:C") == names(folder, "mine.py:C")
    assert names(folder, "kit.tools:C") == KIT


def test_of_openbell_itself_and_of_other_packages_it_follows_nothing(folder: Path) -> None:
    assert names(folder, "openbell.examples.ema_cross:EmaCross") == set()


def test_an_installed_module_is_followed_within_its_package(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.syspath_prepend(str(folder))

    found = {path.name for path in source_files(["kit.tools:C"], elsewhere)}

    assert found == {"__init__.py", "tools.py", "more.py", "end.py", "sibling.py"}


def test_what_is_not_there_or_cannot_be_read_is_left_to_the_run(folder: Path) -> None:
    assert names(folder, "nowhere.py:C", "no_such_module_at_all:C") == set()
    assert names(folder, "broken.py:C") == {"broken.py"}
