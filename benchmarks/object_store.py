"""What it takes to open a store in object storage whose files are in the cache, beside one in a folder.

    python -m benchmarks.object_store

500 symbols of 20 sessions of minutes, read whole. Each round is a new process, for the folder and the address in turn.
The server is a real one on this machine, in a process of its own, whose time is not counted. Printed are medians of the
processes' CPU time and of the wall time.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import time
import urllib.request
from statistics import median

from benchmarks.environments import CACHE

from openbell.maintenance.copy import copy_store
from openbell.model.address import StoreAddress
from openbell.store.store import BarStore
from openbell.testing import bar_starts, random_bars

SYMBOLS, ROUNDS = 500, 9
FIRST, LAST = "2024-03-04", "2024-04-01"
SERVER = """
import logging
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server
logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app))
print(server.server_port, flush=True)
server.serve_forever()
"""
READER = """
import sys, time
begin = time.perf_counter()
from openbell.store.store import BarStore
store = BarStore.open(sys.argv[1])
rows = store.read_rows(store.symbols(), "1m", None, None)
print(len(rows.columns["timestamp"]), time.perf_counter() - begin)
"""


def main() -> None:
    """Make the stores, read them in turn, and print."""
    root = CACHE / "object_store"
    shutil.rmtree(root, ignore_errors=True)
    starts = bar_starts(FIRST, LAST, "1m")
    with BarStore.open_or_create(root / "folder").writer() as writer:
        for number in range(SYMBOLS):
            writer.write(f"S{number:03}", "1m", random_bars(starts, seed=number))
    server = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        os.environ |= {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{int(server.stdout.readline())}",
            "AWS_ACCESS_KEY_ID": "benchmark",
            "AWS_SECRET_ACCESS_KEY": "benchmark",
            "OPENBELL_CACHE": str(root / "cache"),
        }
        request = urllib.request.Request(f"{os.environ['AWS_ENDPOINT_URL']}/bucket", method="PUT")
        urllib.request.urlopen(request).read()
        address = StoreAddress("s3", "bucket", "bars")
        copy_store(root / "folder", address)
        compare({"folder": str(root / "folder"), "s3, warm cache": str(address)})
    finally:
        server.kill()
        server.wait()
        shutil.rmtree(root)


def compare(places: dict[str, str]) -> None:
    """Read each store in turn and print what it took."""
    cpu: dict[str, list[float]] = {name: [] for name in places}
    wall: dict[str, list[float]] = {name: [] for name in places}
    print(f"the first time, from the server: {1e3 * sum(measured(places['s3, warm cache'])):,.0f} ms (CPU and wall)")
    for _ in range(ROUNDS):
        for name, place in places.items():
            seconds = measured(place)
            cpu[name].append(seconds[0])
            wall[name].append(seconds[1])
    for name in places:
        print(f"{name}: {1e3 * median(cpu[name]):,.0f} ms CPU, {1e3 * median(wall[name]):,.0f} ms wall")
    ratio = {
        what: median(times["s3, warm cache"]) / median(times["folder"])
        for what, times in (("CPU", cpu), ("wall", wall))
    }
    print(", ".join(f"{what} {value:.2f} x" for what, value in ratio.items()))


def measured(place: str) -> tuple[float, float]:
    """CPU time of a process that reads a store, and its wall time, in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", READER, place], check=True, stdout=subprocess.DEVNULL)
    wall = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


if __name__ == "__main__":
    main()
