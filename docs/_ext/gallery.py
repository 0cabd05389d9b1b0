"""Sphinx extension that makes the pages of the gallery, by running what they show."""

from __future__ import annotations

import os
import tempfile
from contextlib import chdir
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

__all__ = ["make_pages", "make_runs", "setup"]


def make_runs(folder: Path) -> None:
    """Run the demo and a new strategy on made-up bars, each in a folder of its name inside a folder."""
    from typer.testing import CliRunner

    from openbell import RunFolder, SystemManager, load_config
    from openbell.cli.app import app

    with chdir(folder):
        done = CliRunner().invoke(app, ["new", "strategy", "breakout"])
        if done.exit_code:
            raise RuntimeError(done.output)
        for name in ("breakout.yaml", "openbell-demo/session.yaml"):
            config = load_config(name)
            SystemManager(config).run(RunFolder(Path(config.session_name), config, keep_indicators=True))


def make_pages(target: Path) -> list[Path]:
    """Write pages of what `make_runs` runs into a folder."""
    from openbell import BarStore, HtmlPage, open_run
    from openbell.pages.data_check import check_page
    from openbell.quality.checker import check_store

    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work, chdir(work):
        make_runs(Path())
        demo, breakout = open_run("demo"), open_run("breakout")
        checked = check_page(check_store(BarStore.open("openbell-demo/store"), symbols=["DLTA", "EKKO"]))
        pages = {
            "session": demo.session("2024-07-02").plot("ALFA", "5m", sessions=1),
            "trades": breakout.plot("CHRL", "2024-07-02"),
            "equity": demo.plot(most_charts=1),
            "report": demo.report(most_charts=4),
            "check": HtmlPage(checked),
        }
        return [page.save(target / f"{name}.html") for name, page in pages.items()]


def _after(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        os.environ.setdefault("COLUMNS", "100")
        make_pages(Path(app.outdir) / "gallery")


def setup(app: Sphinx) -> dict[str, Any]:
    """Make the pages when all others are written."""
    app.connect("build-finished", _after)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
