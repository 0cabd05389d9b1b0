"""`openbell report` writes a run's page where one asks for it, and finds the run."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from openbell.cli.app import app

if TYPE_CHECKING:
    from pathlib import Path


def call(*words: object) -> Any:
    return CliRunner().invoke(app, ["report", *map(str, words)])


@pytest.fixture
def place(kept_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a run in a folder of its own, as the demo leaves one."""
    shutil.copytree(kept_run, tmp_path / "demo" / "runs" / "mine", ignore=shutil.ignore_patterns("bars", "indicators"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_a_name_it_is_the_newest_run_here(place: Path) -> None:
    newest = place / "demo" / "runs" / "mine"
    older = shutil.copytree(newest, place / "runs" / "older")
    os.utime(older / "config.json", (1, 1))

    result = call()

    assert result.exit_code == 0
    assert result.stdout.strip() == str(newest.relative_to(place) / "report.html")
    assert (newest / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert not (older / "report.html").exists()


def test_a_run_is_named_by_its_name_and_the_file_by_out(place: Path) -> None:
    result = call("mine", "--out", "new/page.html", "--charts", 1)

    assert result.exit_code == 0
    assert "more charts are left out" in (place / "new" / "page.html").read_text(encoding="utf-8")


def test_it_opens_the_browser(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = place / "seen"
    (place / "browser").write_text(f'#!/bin/sh\necho "$1" > {seen}\n')
    (place / "browser").chmod(0o755)
    monkeypatch.setenv("BROWSER", f"{place}/browser %s")

    assert call("--out", "page.html", "--open").exit_code == 0
    assert seen.read_text().strip() == (place / "page.html").as_uri()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["none"], "none is not the folder of a run"),
        (["--out", "."], "Is a directory"),
        (["--store", "nowhere"], ""),
    ],
)
def test_what_cannot_be_is_told(place: Path, words: list[str], told: str) -> None:
    result = call(*words)

    assert (result.exit_code != 0) == bool(told)
    assert told in result.stderr


def test_without_a_run_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    result = call()

    assert result.exit_code == 2
    assert "there is no run here" in result.stderr
