"""Additions from other threads, which a live session refuses with words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from live.sessions import session
from openbell.config import load_config
from openbell.live.record.verify import verify_run
from openbell.live.start import replay_run
from openbell.results.folder.run_folder import RunFolder

if TYPE_CHECKING:
    from pathlib import Path

STRATEGY = """
import threading

from openbell import Signal, Strategy

class Threads(Strategy):
    def subscriptions(self):
        return [(symbol, "5m") for symbol in self.context.symbols]

    def on_bar(self, bar):
        if f"{self.context.now:%H:%M}" in ("10:00", "11:00"):
            symbol = "AIG" if f"{self.context.now:%H:%M}" == "10:00" else "SPY"
            answers = []
            thread = threading.Thread(target=lambda: answers.append(self.context.add_bar(symbol, "15m")))
            thread.start()
            thread.join(60)
            return Signal(bar.symbol, "ASKED", f"{symbol} {answers}")
"""


def test_what_another_thread_adds_is_refused_and_verify_refuses_it_too(minute_store: Path, tmp_path: Path) -> None:
    """One symbol whose bars are not there, and one whose bars are."""
    (tmp_path / "parts.py").write_text(STRATEGY, encoding="utf-8")
    config = load_config(session({"module": f"{tmp_path}/parts.py:Threads"}, symbols=["SPY"], streams=["5m"]))
    folder = tmp_path / "run"
    run = replay_run(config, minute_store, folder)
    run.run(RunFolder(folder, config))

    signals = [json.loads(line) for line in (folder / "signals.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [one["reason"] for one in signals] == ["AIG [False]", "SPY [False]"]
    (day,) = json.loads((folder / "summary.json").read_text(encoding="utf-8"))["days"]
    refused = [record for record in day["provisioning"] if not record["ok"]]
    assert [record["symbol"] for record in refused] == ["AIG", "SPY"]
    assert all("in another thread than the session's" in " ".join(record["errors"]) for record in refused)
    assert verify_run(folder).differences == ()
