"""Runs leave Python's collector of reference cycles as they found it."""

from __future__ import annotations

import gc

from openbell.engine.gc_control import paused_collection, rare_collection


def test_runs_that_overlap_leave_the_collector_as_it_was() -> None:
    """As two threads with a run each do."""
    before = gc.get_threshold()
    first, second = rare_collection(), rare_collection()
    try:
        first.__enter__()
        raised = gc.get_threshold()
        second.__enter__()
        first.__exit__(None, None, None)
        assert gc.get_threshold() == raised != before  # the second still runs
        second.__exit__(None, None, None)
        assert gc.get_threshold() == before
    finally:
        gc.set_threshold(*before)


def test_a_collector_that_is_switched_off_stays_off() -> None:
    before = gc.get_threshold()
    try:
        gc.set_threshold(0)
        with rare_collection():
            assert gc.get_threshold()[0] == 0
        assert gc.get_threshold()[0] == 0
    finally:
        gc.set_threshold(*before)


def test_a_pause_within_a_pause_ends_with_the_outer_one() -> None:
    with paused_collection():
        with paused_collection():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()
