"""User classes are found where the config says, imports leave no trace, and what is not there is reported."""

from __future__ import annotations

import os
import sys
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from openbell.components.loading import load_class
from openbell.components.scanner import Scanner
from openbell.components.strategy import Strategy
from openbell.errors import ConfigError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Plugin(ABC):
    """What the classes of these tests derive from."""

    @abstractmethod
    def answer(self) -> str:
        """Tells which file the class came from."""


SOURCE = """\
from openbell_test_base import Plugin

class Good(Plugin):
    def answer(self):
        return {answer!r}

class Half(Plugin):
    pass

class Stranger:
    pass

number = 7
"""


@pytest.fixture(autouse=True)
def _base(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the written modules import this file's base, and forget the modules that a test imports."""
    before = set(sys.modules)
    monkeypatch.setitem(sys.modules, "openbell_test_base", sys.modules[__name__])
    yield
    for name in set(sys.modules) - before - {"openbell_test_base"}:
        del sys.modules[name]


def write(path: Path, text: str | None = None, answer: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(SOURCE.format(answer=answer) if text is None else text)
    return path


@pytest.mark.parametrize("reference", ["mine.py:Good", "./mine.py:Good", "mine:Good"])
def test_a_class_is_found_beside_the_config(tmp_path: Path, reference: str) -> None:
    write(tmp_path / "mine.py", answer="here")

    assert load_class(reference, Plugin, tmp_path)().answer() == "here"


def test_a_class_is_found_in_a_package_and_in_a_subfolder(tmp_path: Path) -> None:
    write(tmp_path / "pack" / "__init__.py", "")
    write(tmp_path / "pack" / "inner.py", answer="package")

    assert load_class("pack.inner:Good", Plugin, tmp_path)().answer() == "package"
    assert load_class("pack/inner.py:Good", Plugin, tmp_path)().answer() == "package"


def test_an_imported_file_may_import_its_neighbours(tmp_path: Path) -> None:
    write(tmp_path / "helpers.py", "word = 'helped'")
    write(
        tmp_path / "mine.py",
        "from helpers import word\n" + SOURCE.format(answer="") + "Good.answer = lambda self: word\n",
    )

    assert load_class("mine.py:Good", Plugin, tmp_path)().answer() == "helped"


@pytest.mark.parametrize("reference", ["mine.py:Good", "mine:Good", "mine.py:Missing", "broken.py:Good", "none:Good"])
def test_the_search_path_is_afterwards_as_before(tmp_path: Path, reference: str) -> None:
    write(tmp_path / "mine.py")
    write(tmp_path / "broken.py", "1 / 0")
    before = list(sys.path)

    with suppress(ConfigError):
        load_class(reference, Plugin, tmp_path)

    assert sys.path == before


@pytest.mark.parametrize("reference", ["mine.py:Good", "mine:Good"])
def test_two_folders_may_have_modules_of_the_same_name(tmp_path: Path, reference: str) -> None:
    write(tmp_path / "one" / "mine.py", answer="one")
    write(tmp_path / "two" / "mine.py", answer="two")

    assert load_class(reference, Plugin, tmp_path / "one")().answer() == "one"
    assert load_class(reference, Plugin, tmp_path / "two")().answer() == "two"


def test_a_file_is_imported_once_until_it_changes(tmp_path: Path) -> None:
    write(tmp_path / "mine.py", answer="before")
    first = load_class("mine.py:Good", Plugin, tmp_path)
    second = load_class("mine.py:Good", Plugin, tmp_path)
    write(tmp_path / "mine.py", answer="after")

    assert first is second
    assert load_class("mine.py:Good", Plugin, tmp_path)().answer() == "after"


def test_a_change_within_a_second_is_a_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python stores bytecode under the size of a file and its time in whole seconds."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    for answer in ("10", "20"):
        os.utime(write(tmp_path / "mine.py", answer=answer), (1_700_000_000, 1_700_000_000))

        assert load_class("mine.py:Good", Plugin, tmp_path)().answer() == answer


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("mime.py:Good", r"the file .*mime\.py is not there or cannot be read\. Did you mean 'mine\.py'\?"),
        ("mime:Good", r"there is no module 'mime', neither in .* nor installed\. Did you mean 'mine'\?"),
        ("mine.py:Godo", r"mine\.py: unknown class 'Godo'\. Did you mean 'Good'\?"),
        ("mine:Nothing", r"mine: unknown class 'Nothing'\. Known: Good, Half\."),
        ("mine.py:Stranger", r"mine\.py:Stranger is not a plugin\. Derive the class from .*\.Plugin"),
        ("mine.py:number", r"mine\.py:number is not a plugin"),
        ("mine.py:Plugin", r"mine\.py:Plugin is not a plugin"),
        ("mine.py:Half", r"mine\.py:Half is not complete: it must define answer"),
        ("broken.py:Good", r"broken\.py cannot be imported: .*broken\.py, line 2: ZeroDivisionError: division by zero"),
        ("leaves.py:Good", r"leaves\.py cannot be imported: .*leaves\.py, line 2: SystemExit: 0"),
        ("leaves:Good", r"leaves cannot be imported: .*leaves\.py, line 2: SystemExit: 0"),
        ("broken:Good", r"broken cannot be imported: .*broken\.py, line 2: ZeroDivisionError"),
        ("syntax.py:Good", r"syntax\.py cannot be imported: .*SyntaxError"),
        (
            "needs:Good",
            r"needs cannot be imported: .*needs\.py, line 1: ModuleNotFoundError: No module named 'not_there'",
        ),
    ],
)
def test_what_cannot_be_loaded_is_reported(tmp_path: Path, reference: str, message: str) -> None:
    write(tmp_path / "mine.py")
    write(tmp_path / "broken.py", "x = 1\nx / 0\n")
    write(tmp_path / "leaves.py", "import sys\nsys.exit(0)\n")
    write(tmp_path / "syntax.py", "def f(:\n")
    write(tmp_path / "needs.py", "import not_there\n")

    with pytest.raises(ConfigError, match=message):
        load_class(reference, Plugin, tmp_path)


def test_the_nearest_names_are_those_that_would_have_been_right(tmp_path: Path) -> None:
    write(tmp_path / "mine.py")

    with pytest.raises(UnknownNameError) as caught:
        load_class("mine.py:Nothing", Plugin, tmp_path)

    assert caught.value.known == ("Good", "Half")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("openbell.strategies.ema_cross:EmaCross", "openbell.examples.ema_cross:EmaCross"),
        ("openbell.scanners.gap:Gap", "openbell.examples.gap:Gap"),
    ],
)
def test_a_config_that_names_an_examples_old_place_is_refused_with_the_new_one(
    old: str, new: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=f"{old} has moved. Write {new}."):
        load_class(old, Plugin, tmp_path)


@pytest.mark.parametrize("base", [Strategy, Scanner])
def test_a_class_that_derives_from_nothing_of_openbell_is_refused_with_the_public_base(
    base: type[Any], tmp_path: Path
) -> None:
    write(tmp_path / "mine.py")
    name = base.__name__
    with pytest.raises(ConfigError, match=rf"is not a {name.lower()}\. Derive the class from openbell\.{name}\."):
        load_class("mine.py:Stranger", base, tmp_path)
