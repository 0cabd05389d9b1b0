"""Processes that are started before it is known what they are for."""

from __future__ import annotations

import multiprocessing
from operator import methodcaller

import pytest

from openbell.engine.worker_process import started, started_ahead


def test_a_process_that_was_started_ahead_is_taken_and_those_that_nobody_took_are_gone() -> None:
    with started_ahead(2, "json"):
        ahead = multiprocessing.active_children()
        assert len(ahead) == 2
        worker = started(methodcaller, ("upper",))
        assert worker.process in ahead
        worker.line.send("bell")
        assert worker.line.recv() == "BELL"
    assert multiprocessing.active_children() == [worker.process]
    worker.bury()
    assert worker.exit_code == 0


def test_none_is_left_when_what_they_were_for_fails() -> None:
    with pytest.raises(ValueError, match="not a config"), started_ahead(1, "json"):
        raise ValueError("not a config")
    assert not multiprocessing.active_children()
