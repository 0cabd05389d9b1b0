"""The way of an addition through the files is the one that newcomers are told."""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import openbell
from openbell.testing import advance, prepare
from probes import config_of

if TYPE_CHECKING:
    from types import FrameType

PACKAGE = Path(openbell.__file__).parent
GUIDE = PACKAGE.parent.parent / "CONTRIBUTING.md"


def told() -> list[str]:
    section = GUIDE.read_text(encoding="utf-8").partition("### The way of an addition")[2].partition("\n## ")[0]
    return re.findall(r"\| \[([\w/.]+)\]", section)


def test_an_addition_runs_through_the_files_of_the_guide_in_their_order(demo_master: Path) -> None:
    indicators = [{"name": "ema", "period": 10, "interval": "5m"}]
    config = config_of(symbols=["ALFA"], days="2024-07-03", indicators=indicators)
    system = prepare(config, store=demo_master / "store")
    advance(system, "11:00")
    met: dict[str, None] = {}

    def called(frame: FrameType, event: str, _argument: object) -> None:
        code = frame.f_code
        # Bodies of modules and classes, which run at import, are not optimised code.
        if event == "call" and code.co_flags & inspect.CO_OPTIMIZED and code.co_filename.startswith(f"{PACKAGE}/"):
            met.setdefault(code.co_filename.removeprefix(f"{PACKAGE}/"))

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        added = system.coordinator.provisioner.add_symbol("BRVO", source="strategy")
    finally:
        sys.setprofile(before)
    assert added
    asks, *way = told()
    assert asks == "components/context.py"  # which passes it on
    assert [file for file in met if file in way] == way
