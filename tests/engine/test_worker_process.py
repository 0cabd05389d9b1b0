"""Processes that are started before it is known what they are for."""

from __future__ import annotations

import multiprocessing
from operator import methodcaller

import pytest

from openbell.engine.workers.worker_process import start_worker, workers_started_ahead


def test_a_process_that_was_started_ahead_is_taken_and_those_that_nobody_took_are_gone() -> None:
    before = multiprocessing.active_children()
    with workers_started_ahead(2, "json"):
        ahead = [process for process in multiprocessing.active_children() if process not in before]
        assert len(ahead) == 2
        worker = start_worker(methodcaller, ("upper",))
        assert worker.process in ahead
        worker.pipe.send("bell")
        assert worker.pipe.recv() == "BELL"
    assert [process for process in multiprocessing.active_children() if process not in before] == [worker.process]
    worker.close()
    assert worker.exit_code == 0


def test_none_is_left_when_what_they_were_for_fails() -> None:
    before = multiprocessing.active_children()
    with pytest.raises(ValueError, match="not a config"), workers_started_ahead(1, "json"):
        raise ValueError("not a config")
    assert all(process in before for process in multiprocessing.active_children())
