"""A live run that does not start leaves nothing, and one that ends says so before its results are written."""

from __future__ import annotations

import json
import threading
import time
from datetime import date
from typing import TYPE_CHECKING

import pytest

from openbell.config import load_config
from openbell.errors import ConfigError, FeedError
from openbell.live.start import live_run, resumed_run
from openbell.live.status.run_lock import ENDING, RunLock, is_running, wait_for_end
from openbell.results.folder.run_folder import RunFolder

if TYPE_CHECKING:
    from pathlib import Path

NOBODY = {
    "mode": "live",
    "session_data_config": {"symbols": ["ACME"]},
    "live": {"url": "ws://127.0.0.1:9", "wait": "1s"},
}


def test_a_run_that_gets_no_connection_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run = live_run(load_config(NOBODY), folder)
    made = RunFolder(folder, run.system.config)

    with pytest.raises(FeedError, match="no connection to the feed"):
        run.run(made)

    assert not folder.exists()


def test_a_start_that_fails_leaves_a_folder_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    wrong = load_config({**NOBODY, "strategies": [{"module": "no_such_module:Strategy"}]})

    with pytest.raises(ConfigError, match="no_such_module"):
        live_run(wrong, tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_folder_with_a_run_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    RunFolder(tmp_path, load_config(NOBODY)).close()
    before = sorted(tmp_path.iterdir())

    with pytest.raises(ConfigError, match="holds a run already"):
        live_run(load_config(NOBODY), tmp_path)

    assert sorted(tmp_path.iterdir()) == before


def test_a_run_that_cannot_go_on_for_lack_of_a_connection_says_so_and_keeps_what_it_has(tmp_path: Path) -> None:
    config = load_config(NOBODY).with_days(date(2013, 10, 10), date(2013, 10, 10))
    RunFolder(tmp_path, config).close()
    (tmp_path / "live.json").write_text('{"state": "running"}', encoding="utf-8")
    lines = [
        {"feed": "websocket", "intervals": ["1m"]},
        {"session": "2013-10-10", "start_ns": 1_381_411_800_000_000_000},
    ]
    record = "".join(f"{json.dumps(line)}\n" for line in lines)
    (tmp_path / "feed.jsonl").write_text(record, encoding="utf-8")

    run = resumed_run(tmp_path)
    with pytest.raises(FeedError, match="no connection to the feed"):
        run.run(RunFolder(tmp_path, run.system.config, goes_on=True))

    assert json.loads((tmp_path / "live.json").read_text(encoding="utf-8"))["state"] == "failed"
    assert (tmp_path / "feed.jsonl").read_text(encoding="utf-8") == record
    assert not is_running(tmp_path)


def test_a_run_that_writes_its_results_is_waited_for(tmp_path: Path) -> None:
    lock = RunLock(tmp_path)
    lock.write("running")
    assert not wait_for_end(tmp_path, 0.01)

    lock.write(ENDING)
    over = threading.Event()

    def finish() -> None:
        time.sleep(0.3)
        over.set()
        lock.release()

    writing = threading.Thread(target=finish)
    writing.start()
    assert wait_for_end(tmp_path, 0.01)
    assert over.is_set()
    writing.join()
    assert json.loads((tmp_path / "live.json").read_text(encoding="utf-8"))["state"] == ENDING
