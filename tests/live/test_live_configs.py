"""Configs of live sessions are checked as a whole, and their runs keep no key."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from openbell.config import load_config
from openbell.engine.preflight import check_config
from openbell.errors import RunFolderError
from openbell.live.record.verify import verify_run
from openbell.live.start import live_run

if TYPE_CHECKING:
    from pathlib import Path


def config_of(url: str) -> dict[str, Any]:
    return {"mode": "live", "session_data_config": {"symbols": ["ACME"]}, "live": {"url": url}}


def test_an_address_of_no_websocket_is_a_problem_of_its_key() -> None:
    (problem,) = check_config(load_config(config_of("http://example")))

    assert problem.place == ("live", "url")
    assert "ws://" in problem.message


def test_a_run_keeps_no_key_of_its_feeds_address(tmp_path: Path) -> None:
    run = live_run(load_config(config_of("ws://me:s3cretpass@127.0.0.1:1/feed?token=t0kenvalue")), tmp_path / "run")
    run.resources.record.close()
    run.resources.feed.close()

    kept = json.dumps(run.system.config.resolved())  # what a run folder writes
    assert "127.0.0.1:1/feed" in kept
    assert not any(key in kept for key in ("s3cretpass", "t0kenvalue"))


def test_a_folder_without_a_record_cannot_be_verified(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"is not the folder of a live run: it has no feed\.jsonl"):
        verify_run(tmp_path)
