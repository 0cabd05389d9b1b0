"""User classes are found where the config says, imports leave no trace, and what is not there is told."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbell.components.loading import load_class
from openbell.components.universes import load_universe
from openbell.errors import ConfigError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Iterator


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


@pytest.mark.parametrize(
    ("reference", "told"),
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
        ("broken:Good", r"broken cannot be imported: .*broken\.py, line 2: ZeroDivisionError"),
        ("syntax.py:Good", r"syntax\.py cannot be imported: .*SyntaxError"),
        (
            "needs:Good",
            r"needs cannot be imported: .*needs\.py, line 1: ModuleNotFoundError: No module named 'not_there'",
        ),
    ],
)
def test_what_cannot_be_loaded_is_told(tmp_path: Path, reference: str, told: str) -> None:
    write(tmp_path / "mine.py")
    write(tmp_path / "broken.py", "x = 1\nx / 0\n")
    write(tmp_path / "syntax.py", "def f(:\n")
    write(tmp_path / "needs.py", "import not_there\n")

    with pytest.raises(ConfigError, match=told):
        load_class(reference, Plugin, tmp_path)


SYMBOLS = st.lists(st.from_regex(r"[A-Z]{1,5}(\.[AB])?", fullmatch=True), min_size=1, max_size=20, unique=True)


@given(SYMBOLS)
def test_a_universe_reads_the_same_from_every_kind_of_file(
    tmp_path_factory: pytest.TempPathFactory, symbols: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("universe")
    write(folder / "u.txt", "# ours\n\n" + "".join(f"{s}  # a comment\n" for s in symbols))
    write(folder / "u.csv", "name,Symbol\n" + "".join(f'"A, B",{s}\n' for s in symbols))
    write(folder / "u.json", "[" + ", ".join(f'"{s}"' for s in symbols) + "]")

    for name in ("u.txt", "u.csv", "u.json"):
        assert load_universe(Path(name), folder) == tuple(symbols)
    assert load_universe(symbols, folder) == tuple(symbols)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("univers.txt", None, r"univers\.txt is not there\. Did you mean 'universe\.txt'\?"),
        ("u.dat", "A", r"u\.dat must be one of \.txt, \.csv, \.json"),
        ("u.txt", "# nothing\n", r"u\.txt cannot be read: the list of symbols is empty"),
        ("u.txt", "A\nB\nA\n", r"u\.txt cannot be read: A is there more than once"),
        ("u.csv", "ticker\nA\n", r"u\.csv cannot be read: it has no column 'symbol'; it has ticker"),
        ("u.csv", "name,symbol\nonly\n", r"u\.csv cannot be read: line 2 has no symbol"),
        ("u.csv", "", r"u\.csv cannot be read: it has no column 'symbol'"),
        ("u.json", '{"A": 1}', r"u\.json cannot be read: must be a list of symbols"),
        ("u.json", "[", r"u\.json cannot be read: "),
    ],
)
def test_a_bad_universe_file_is_told(tmp_path: Path, name: str, text: str | None, told: str) -> None:
    write(tmp_path / "universe.txt", "A\n")
    if text is not None:
        write(tmp_path / name, text)

    with pytest.raises(ConfigError, match=told):
        load_universe(Path(name), tmp_path)


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
def test_a_config_that_names_an_examples_old_place_is_told_the_new_one(old: str, new: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"{old} has moved. Write {new}."):
        load_class(old, Plugin, tmp_path)
