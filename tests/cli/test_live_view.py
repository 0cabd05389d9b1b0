"""What a terminal shows of a live run, at every size, and only a terminal."""

from __future__ import annotations

import io
import json
import os
import pty
import shutil
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from openbell.cli.output.live_view import live_view
from openbell.live.status.live_status import (
    AccountStatus,
    FeedStatus,
    Happening,
    LiveStatus,
    OrderStatusLine,
    PositionStatus,
    ScanToCome,
    SymbolStatus,
)

if TYPE_CHECKING:
    from pathlib import Path

NOW = "2024-07-02T10:32:00-04:00"
MISSING = "the feed has not acknowledged it"


def status(ready: int = 12, pending: int = 1, positions: int = 2, orders: int = 2, happened: int = 30) -> LiveStatus:
    waiting = [SymbolStatus(f"NEW{n}", "pending", False, False, False, MISSING) for n in range(pending)]
    there = [SymbolStatus(f"SYM{n}", "ready", True, True, True, "", NOW, 100.25 + n) for n in range(ready)]
    held = tuple(PositionStatus(f"SYM{n}", 100.0 - 200 * n, 100.0, 101.5, 150.0) for n in range(positions))
    given = tuple(
        OrderStatusLine(f"EmaCross-{n}", "EmaCross", f"SYM{n}", -50.0, "limit", "limit 99.5", "accepted")
        for n in range(min(orders, 50))
    )
    return LiveStatus(
        session_name="demo",
        state="running",
        now=NOW,
        feed=FeedStatus("iex", "LAGGING", "95 s behind its bars", NOW, losses=2, lag_s=95.0, waiting=2),
        date="2024-07-02",
        clock=NOW,
        opens="2024-07-02T09:30:00-04:00",
        closes="2024-07-02T16:00:00-04:00",
        counts={"pending": pending, "ready": ready},
        symbols=tuple((waiting + there)[:300]),
        account=AccountStatus(100_123.4, 50_000.0, 123.4, -20.0, held, given, orders),
        next_scan=ScanToCome("2024-07-02T10:35:00-04:00", "Gap"),
        bars={"same": 0, "late": 3},
        happened=tuple(Happening(NOW, "fill", f"bought {n} SYM1 at 100 \x1b[31m[red]") for n in range(happened)),
    )


def shown(of: LiveStatus, width: int, height: int) -> list[str]:
    console = Console(width=width, height=height, file=io.StringIO(), force_terminal=False, emoji=False)
    console.print(live_view(of, 2.0, width, height))
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined]


@pytest.mark.parametrize(("width", "height"), [(80, 24), (140, 40)])
def test_a_view_shows_all_that_matters(width: int, height: int) -> None:
    text = "\n".join(lines := shown(status(), width, height))
    assert lines[0].startswith("demo  running  2024-07-02 10:32:00")
    assert lines[1].startswith("feed iex LAGGING  heard 2 s ago  lag 95.0 s, 2 bar times wait  lost 2 times")
    assert "today +123.40" in lines[2]
    assert lines[3].startswith("symbols 12 ready  1 pending  next scan 10:35:00 Gap  bars: 3 late")
    for what in ("NEW0", "pending", MISSING[:15], "SYM11", "111.25", "EmaCross-1", "limit 99.5", "bought 29 SYM1"):
        assert what in text, what
    assert "\x1b" not in text


def test_a_view_tells_what_happened_in_order_of_time() -> None:
    """A fill at its session time, which comes to be known after the feed is lost at the time outside."""
    later = NOW.replace("10:32:00", "10:32:05")
    happened = (Happening(later, "feed", "the feed is down"), Happening(NOW, "fill", "bought 1 SYM1 at 100"))
    lines = shown(replace(status(), happened=happened), 80, 24)
    assert [line.split()[0] for line in lines[-2:]] == ["10:32:00", "10:32:05"]


@pytest.mark.parametrize("size", [(40, 10), (60, 15), (80, 24), (119, 24), (120, 24), (140, 40), (250, 80)])
@pytest.mark.parametrize("counts", [(0, 0, 0, 0, 0), (1, 1, 1, 1, 1), (450, 60, 40, 300, 60), (3, 0, 40, 0, 2)])
def test_a_view_fits_any_terminal(size: tuple[int, int], counts: tuple[int, int, int, int, int]) -> None:
    lines = shown(status(*counts), *size)
    assert len(lines) <= size[1]
    assert all(len(line) <= size[0] for line in lines)


@pytest.mark.long
def test_a_terminal_shows_the_view_and_machines_get_json(demo_master: Path, tmp_path: Path) -> None:
    demo = shutil.copytree(demo_master, tmp_path / "demo")
    text = (demo / "session.yaml").read_text(encoding="utf-8")
    half_day = text.replace("2024-07-02, end_date: 2024-07-05", "2024-07-03, end_date: 2024-07-03")
    assert half_day != text
    (demo / "session.yaml").write_text(half_day, encoding="utf-8")
    command = [sys.executable, "-m", "openbell", "replay", str(demo / "session.yaml")]
    ours, theirs = pty.openpty()
    process = subprocess.Popen([*command, "--out", str(tmp_path / "seen")], stderr=theirs, stdout=subprocess.DEVNULL)
    os.close(theirs)
    drawn = b""
    try:
        while part := os.read(ours, 65536):
            drawn += part
    except OSError:
        pass  # the other side is closed
    finally:
        os.close(ours)
    assert process.wait() == 0
    assert b"next scan" in drawn or b"no scan to come" in drawn  # whichever was true when the screen was drawn
    assert b"heard" in drawn

    plain = subprocess.run(
        [*command, "--log-json", "--out", str(tmp_path / "logged")], capture_output=True, text=True, check=True
    )
    said = [json.loads(line) for line in plain.stderr.splitlines() if line.startswith("{")]
    kinds = {one["event"] for one in said}
    assert {"status", "fill", "signal", "scanned", "provisioned"} <= kinds
    assert "next scan" not in plain.stderr
    states = [one["state"] for one in said if one["event"] == "status"]
    assert states[-1] == "ended"
    assert "running" in states
