"""A system runs once at a time, and generators of strategies end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

from openbell import SystemManager
from openbell.errors import OpenbellError
from probes import config_of

if TYPE_CHECKING:
    from pathlib import Path


def test_a_system_that_runs_already_is_refused(minute_store: Path) -> None:
    system = SystemManager(config_of(), store=minute_store)
    together = Barrier(16)

    def run(_: int) -> str:
        together.wait()
        try:
            return str([day.bars_streamed for day in system.run().days])
        except OpenbellError as error:
            return str(error)

    with ThreadPoolExecutor(16) as threads:
        outcomes = list(threads.map(run, range(16)))

    alone = str([day.bars_streamed for day in system.run().days])
    assert any("already" in outcome for outcome in outcomes)
    assert {o for o in outcomes if "already" not in o} == {alone}


def test_a_system_that_plans_already_is_refused(minute_store: Path) -> None:
    system = SystemManager(config_of(), store=minute_store)
    together = Barrier(16)

    def plan(_: int) -> str:
        together.wait()
        try:
            return repr(system.plan())
        except OpenbellError as error:
            return str(error)

    with ThreadPoolExecutor(16) as threads:
        outcomes = list(threads.map(plan, range(16)))

    assert {o for o in outcomes if "already" not in o} == {repr(system.plan())}
