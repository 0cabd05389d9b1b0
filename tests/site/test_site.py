"""The documentation site builds without a warning, asks no other host for anything, and can be searched offline."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from browsers import chromium

pytestmark = pytest.mark.long

PROJECT = Path(__file__).resolve().parents[2]

_LOADED = re.compile(r"<(?:script|img|iframe|source|video|audio|embed)\b[^>]*?\bsrc=[\"']([^\"']+)")
_LINKED = re.compile(r"<link\b[^>]*>")
_STYLED = re.compile(r"url\(([^)]*)\)|@import\s+([^;]+)")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site: that of `make docs` where OPENBELL_SITE names it, else a new one."""
    given = os.environ.get("OPENBELL_SITE")
    if given:
        return Path(given)
    folder = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-W",
        "--keep-going",
        "-q",
        "-b",
        "html",
        str(PROJECT / "docs"),
        str(folder),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def pages(site: Path) -> list[Path]:
    return sorted(site.rglob("*.html"))


def is_foreign(address: str) -> bool:
    return bool(re.match(r"\s*[\"']?(https?:)?//", address))


def test_no_page_loads_anything_from_another_host(site: Path) -> None:
    foreign = []
    for page in pages(site):
        text = page.read_text(encoding="utf-8")
        found = _LOADED.findall(text)
        found += [
            link
            for tag in _LINKED.findall(text)
            if "canonical" not in tag
            for link in re.findall(r'href="([^"]+)', tag)
        ]
        foreign += [(page.name, address) for address in found if is_foreign(address)]
    for sheet in site.rglob("*.css"):
        for one, other in _STYLED.findall(sheet.read_text(encoding="utf-8")):
            if is_foreign(one or other):
                foreign.append((sheet.name, one or other))

    assert len(pages(site)) > 70
    assert foreign == []


def test_all_documents_are_pages(site: Path) -> None:
    documents = [path.relative_to(PROJECT / "docs") for path in (PROJECT / "docs").rglob("*.md")]
    documents = [path for path in documents if path.parts[0] != "_build"]

    assert [str(path) for path in documents if not (site / path.with_suffix(".html")).is_file()] == []


def test_no_word_is_shown_as_broken(site: Path) -> None:
    broken = [page.name for page in pages(site) if 'class="problematic"' in page.read_text(encoding="utf-8")]

    assert broken == []


def test_a_search_finds_pages_and_names_without_a_server(site: Path) -> None:
    with chromium() as browser:
        page = browser.new_page()
        messages: list[str] = []
        requests: list[str] = []
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        found = {}
        for words in ("bracket", "StrategyContext", "warm-up"):
            page.goto(f"{(site / 'search.html').as_uri()}?q={words}")
            page.wait_for_selector("ul.search li a")
            found[words] = page.locator("ul.search").inner_text()

    assert "Orders and fills" in found["bracket"]
    assert "openbell.StrategyContext" in found["StrategyContext"]
    assert "Concepts" in found["warm-up"]
    assert messages == []
    assert [address for address in requests if not address.startswith("file:")] == []
