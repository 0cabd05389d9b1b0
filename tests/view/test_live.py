"""Live runs that are followed while they go on, through a lost connection and after their end, and stopped."""

from __future__ import annotations

import http.client
import json
from contextlib import closing, contextmanager, suppress
from itertools import islice
from threading import Thread
from typing import TYPE_CHECKING

from openbell import load_config
from openbell.live.start import replay_run
from openbell.results.folder.run_folder import RunFolder
from openbell.testing import bar_starts, make_store, random_bars
from pages.conftest import TRADERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from openbell.model.json_object import JsonObject
    from view.conftest import Served


@contextmanager
def going_on(folder: Path, speed: float | None) -> Iterator[Thread]:
    """Replay a session in a thread, up to its end or until it is stopped."""
    store = make_store(folder.parent / "store", {"ALFA": {"1m": random_bars(bar_starts("2024-03-08", "2024-03-12"))}})
    config = load_config(
        {
            "session_name": "followed",
            "store": str(store),
            "backtest_config": {"start_date": "2024-03-12", "end_date": "2024-03-12"},
            "session_data_config": {"symbols": ["ALFA", "NONE"], "streams": ["1m", "5m"]},
            "execution": {},
            "strategies": [{"module": f"{TRADERS}:Brackets"}],
        }
    )
    run = replay_run(config, None, folder, speed=speed)

    def play() -> None:
        with suppress(KeyboardInterrupt):  # it is stopped from outside
            run.run(RunFolder(folder, config))

    thread = Thread(target=play)
    thread.start()
    yield thread
    thread.join()


def bars_of(served: Served, run: str, last_id: str = "") -> Iterator[tuple[str, str, JsonObject]]:
    """Yield the bars of a run's symbol likewise."""
    return news(served, run, last_id, "bars?symbol=ALFA")


def news(served: Served, run: str, last_id: str = "", of: str = "events") -> Iterator[tuple[str, str, JsonObject]]:
    """Yield the events of a run, each with its id and name."""
    with closing(http.client.HTTPConnection(served.host, timeout=30)) as connection:
        headers = {"Last-Event-ID": last_id} if last_id else {}
        connection.request("GET", f"/run/{run}/data/{of}", headers=headers)
        answer = connection.getresponse()
        assert answer.headers["content-type"].startswith("text/event-stream")
        fields: dict[str, str] = {}
        for line in answer:
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name:
                fields[name] = value
                continue
            if "event" in fields:
                yield fields["id"], fields["event"], json.loads(fields["data"])
            fields = {}


def test_a_run_is_followed_stopped_and_shown_after_its_end(start_server: Callable[..., Served], tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    served = start_server(runs)
    origin = f"http://{served.host}"
    with going_on(runs / "followed", speed=600.0) as playing:
        while "followed" not in served.ids():
            assert playing.is_alive()
        run = served.ids()["followed"]
        place = f"/run/{run}"
        seen: dict[str, tuple[str, JsonObject]] = {}
        heard: set[str] = set()
        for event_id, name, value in islice(news(served, run), 30):
            seen[name] = event_id, value
            if name == "journal":
                heard.update(one["symbols"] for one in value)
            # What is refused is in the journal before what has to wait for its history.
            if {"status", "state"} <= set(seen) and len(heard) > 1:
                break
        without = [
            served.ask(f"{place}/stop", method="POST", body=body, Origin=origin).status
            for body in (f"confirm={run}", f"token={served.server.token}")
        ]
        page = served.ask(f"{place}/live").text
        token = f"token={served.server.token}&confirm={run}"
        stopped = served.ask(f"{place}/stop", method="POST", body=token, Origin=origin)
    after = {name: value for _, name, value in islice(news(served, run), 3)}
    again = [
        name
        for _, name, _ in islice(news(served, run, last_id=str((runs / "followed/journal.jsonl").stat().st_size)), 2)
    ]

    assert heard == {"ALFA", "NONE"}
    assert seen["status"][1]["feed"]["bars_per_minute"] >= 0
    assert seen["status"][1]["session_name"] == "followed"
    assert 'id="stop"' in page
    assert without == [403, 422]
    assert stopped.status == 303
    assert (runs / "followed" / "summary.json").is_file()
    assert after["state"]["state"] == after["status"]["state"] != "running"
    assert "journal" not in again
    assert served.ask(f"{place}/stop", method="POST", body=token, Origin=origin).status == 422


def test_bars_of_a_symbol_are_followed_and_corrected_ones_come_again(
    start_server: Callable[..., Served], tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    with going_on(runs / "followed", speed=None):
        pass
    record = runs / "followed" / "feed.jsonl"
    served = start_server(runs)
    run = served.ids()["followed"]

    (first_id, _, whole), *_ = islice(bars_of(served, run), 1)
    late = ["ALFA", "1m", whole["bars"][5][0] * 10**9, 1.0, 2.0, 0.5, 1.5, 7.0, "changed"]
    other = ["OTHER", "1m", whole["bars"][6][0] * 10**9, 1.0, 2.0, 0.5, 1.5, 7.0, "new"]
    with record.open("a") as lines:
        lines.write(json.dumps({"played_ns": 0, "late": True, "bars": [late, other]}) + "\n")
    (_, _, corrected), *_ = islice(bars_of(served, run, last_id=first_id), 1)

    assert (whole["session"], whole["interval"], whole["step"], len(whole["bars"])) == ("2024-03-12", "1m", 60, 390)
    assert corrected["session"] is None
    assert corrected["bars"] == [[late[2] // 10**9, 1.0, 2.0, 0.5, 1.5, 7.0]]
