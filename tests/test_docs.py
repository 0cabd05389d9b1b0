"""What the documents tell is so: their code runs, their links lead somewhere, and nothing is left out.

Blocks of one document run in order, in one folder and, for Python, in one namespace. The word behind the language says
how: nothing or ``python`` runs it, ``file=NAME`` writes it to a file for the blocks that follow, ``no-test`` leaves it.
A folder ``lean-data`` with real market data is there for the documents that name it.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from typer.testing import CliRunner

from openbell.cli.app import app

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).resolve().parents[1]
DOCUMENTS = [
    *(PROJECT / name for name in ("README.md", "CONTRIBUTING.md")),
    *sorted(path for path in (PROJECT / "docs").rglob("*.md") if "_build" not in path.parts),
]
FIRST_READ = ("README", "getting-started")
"""Documents that run at every test; all others run with the long tests."""

PLAYED_ELSEWHERE = ("from-backtrader", "from-zipline")
"""Documents that site/test_peers_in_guides.py plays, which compares what their two halves trade."""

MOST_UNTESTED = 3

_FENCE = re.compile(r"^```(\{[\w-]+\}|\w*)[ ]*(.*?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


class Block(NamedTuple):
    """A fenced block: its language, the words behind it, its first line's number, and its text."""

    language: str
    how: str
    line: int
    text: str


def blocks(document: Path) -> Iterator[Block]:
    text = document.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        yield Block(found[1], found[2].strip(), text.count("\n", 0, found.start(3)) + 1, found[3])


def runs(block: Block) -> bool:
    return block.language in ("bash", "python") and block.how == ""


def play(document: Path) -> None:
    """Run a document's blocks in the current folder."""
    namespace: dict[str, object] = {"__name__": "document"}
    for block in blocks(document):
        if block.how.startswith("file="):
            target = Path(block.how.removeprefix("file="))
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text, encoding="utf-8")
        elif runs(block) and block.language == "python":
            # The empty lines before it make a traceback name the document's line.
            exec(compile("\n" * (block.line - 1) + block.text, str(document), "exec"), namespace)
        elif runs(block):
            for number, line in enumerate(block.text.splitlines(), start=block.line):
                if code := shell(line):
                    sys.exit(f"{document}, line {number}: exit code {code} of {line}")


def shell(line: str) -> int:
    """Run one line of bash; openbell's commands run in this process, which has loaded what they need already."""
    words = shlex.split(line, comments=True)
    if words[:1] != ["openbell"] or "|" in words:
        return subprocess.run(["bash", "-euo", "pipefail", "-c", line], check=False).returncode
    arguments, _, target = " ".join(map(shlex.quote, words[1:])).partition("'>'")
    result = CliRunner().invoke(app, shlex.split(arguments))
    if target:
        Path(target.strip()).write_text(result.stdout, encoding="utf-8")
    if result.exit_code:
        sys.stderr.write(f"{result.output}{result.exception or ''}\n")
    return result.exit_code


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(d, id=d.stem, marks=() if d.stem in FIRST_READ else pytest.mark.long)
        for d in DOCUMENTS
        if any(map(runs, blocks(d))) and d.stem not in PLAYED_ELSEWHERE
    ],
)
def test_the_code_of_a_document_runs(
    document: Path, tmp_path: Path, demo_master: Path, request: pytest.FixtureRequest
) -> None:
    text = document.read_text(encoding="utf-8")
    if "openbell-demo" in text:
        shutil.copytree(demo_master, tmp_path / "openbell-demo")
    if "lean-data" in text:
        (tmp_path / "lean-data").symlink_to(request.getfixturevalue("lean_dir"))
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path, "COLUMNS": "100"}
    if "s3://" in text:
        environment |= request.getfixturevalue("s3_server").environment(tmp_path / "cache")
        request.getfixturevalue("s3_server").make_bucket("my-bucket")

    done = subprocess.run(
        [sys.executable, __file__, str(document)],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr


def test_a_newcomer_sees_trades_after_four_commands_and_fifteen_lines_of_python() -> None:
    first, code = list(blocks(PROJECT / "README.md"))[:2]
    commands = [shlex.split(line, comments=True)[:2] for line in first.text.splitlines()]

    assert commands == [["openbell", "new"], ["openbell", "run"], ["openbell", "report"]], "after pip install"
    assert code.how == "file=mine.py"
    assert len([line for line in code.text.splitlines() if line.strip()]) <= 15


def test_few_blocks_are_left_untested() -> None:
    left = [f"{d.name}:{b.line}" for d in DOCUMENTS for b in blocks(d) if b.how == "no-test"]

    assert len(left) <= MOST_UNTESTED, left


def test_every_block_says_how_it_is_meant() -> None:
    unknown = [
        f"{d.name}:{b.line}: {b.language} {b.how}"
        for d in DOCUMENTS
        for b in blocks(d)
        if not b.language.startswith("{")  # a directive of the site
        and (not re.fullmatch(r"|no-test|file=\S+", b.how) or not b.language)
    ]

    assert unknown == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: str(d.relative_to(PROJECT)))
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    targets = _LINK.findall(document.read_text(encoding="utf-8"))

    assert [t for t in targets if not (document.parent / t).exists()] == []


def test_every_document_is_in_the_contents_of_the_site() -> None:
    docs = PROJECT / "docs"
    documents = {path.relative_to(docs).with_suffix("") for path in DOCUMENTS if docs in path.parents}
    listed = {Path("index")}
    for path in DOCUMENTS:
        for block in blocks(path):
            if block.language == "{toctree}":
                for line in block.text.splitlines():
                    where = path.parent.relative_to(docs) if docs in path.parents else Path()
                    if line and not line.startswith(":"):
                        listed |= {p.relative_to(docs).with_suffix("") for p in (docs / where).glob(f"{line}.md")}

    assert sorted(documents - listed) == [], "name them in a toctree, such as those of docs/index.md"


if __name__ == "__main__":
    play(Path(sys.argv[1]))
