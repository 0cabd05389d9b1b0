"""Writers to object storage may be killed at any moment: what they reported is there, and nothing else is amiss."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from faulty_proxy import Fault
from object_bars import read
from openbell.maintenance.objects import repair_objects, verify_objects
from openbell.store.store import BarStore

if TYPE_CHECKING:
    from faulty_proxy import FaultyProxy
    from openbell.model.address import StoreAddress

SYMBOLS = tuple("ABCD")

# Forks writers that store bars of growing value of all symbols at once, and say so. This process itself runs no query
# and asks nothing, so that its children may. Asked for by a line "ADDRESS PRICE".
NURSERY = """
import os, sys
import obstore, polars, filelock, structlog  # writers are to be killed while they write, and not at imports
from object_bars import bars
from openbell.store.store import BarStore

def run(address, first):
    store = BarStore.open_or_create(address)
    for price in range(first, 1_000_000):
        with store.writer() as writer:
            for symbol in "ABCD":
                writer.write(symbol, "1m", bars(price, 40))
        os.write(1, f"{price}\\n".encode())

for line in sys.stdin:
    address, first = line.split()
    child = os.fork()
    if not child:
        try:
            run(address, int(first))
        finally:
            os._exit(1)
    os.write(1, f"child {child}\\n".encode())
    os.waitpid(child, 0)
    os.write(1, b"ended\\n")
"""


class Nursery:
    """What starts writers."""

    def __init__(self) -> None:
        folders = [str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(folders)}
        self.process = subprocess.Popen(
            [sys.executable, "-c", NURSERY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self._rest = ""

    def killed_writer(self, address: StoreAddress, first: int, is_time: threading.Event) -> int:
        """Let a writer write prices from ``first`` on, kill it, and return the last price that it reported."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{address} {first}\n")
        self.process.stdin.flush()
        child = int(self._line().split()[1])
        assert is_time.wait(120)
        os.kill(child, signal.SIGKILL)
        reported = first - 1
        while (line := self._line()) != "ended":
            reported = int(line)
        return reported

    def _line(self) -> str:
        assert self.process.stdout is not None
        while "\n" not in self._rest:
            found = os.read(self.process.stdout.fileno(), 4096).decode()
            assert found, "the nursery has ended"
            self._rest += found
        line, _, self._rest = self._rest.partition("\n")
        return line

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


def kill_writers(address: StoreAddress, proxy: FaultyProxy, rounds: int) -> None:
    chance = random.Random(20131010)
    kinds = ("",) * 20 + ("busy", "cut before", "cut after", "slow")
    requests_left, is_time = 0, threading.Event()

    def choose(method: str, path: str) -> Fault:
        nonlocal requests_left
        requests_left -= 1
        if not requests_left:
            is_time.set()
        return Fault(chance.choice(kinds), chance.uniform(0, 0.01))

    proxy.choose = choose
    nursery = Nursery()
    stored = 0
    try:
        for number in range(rounds):
            # A write of four symbols that are there is about ten requests.
            is_time.clear()
            requests_left = chance.randint(1, 20)
            reported = nursery.killed_writer(address, stored + 1, is_time)
            if not stored and not BarStore.open_or_create(address).symbols():
                assert not reported
                continue
            store = BarStore.open(address)
            prices = {symbol: set(read(store, symbol)["close"]) for symbol in SYMBOLS}
            # All symbols are of one write: the last that was reported, or the one that was under way.
            assert len(set(map(frozenset, prices.values()))) == 1, (number, prices)
            (price,) = prices["A"]
            assert price in (reported, reported + 1), number
            assert [c.rows for c in store.coverage()] == [40] * len(SYMBOLS)
            stored = int(price)
    finally:
        nursery.close()
    proxy.choose = lambda method, path: Fault()
    assert stored >= rounds // 4  # writers came to write
    assert verify_objects(address).damages == ()
    repair_objects(address)
    assert verify_objects(address).unlisted == 0
    assert set(read(BarStore.open(address), "A")["close"].to_list()) == {float(stored)}


@pytest.mark.long
def test_sixty_killed_writers_leave_what_they_reported(address: StoreAddress, proxy: FaultyProxy) -> None:
    kill_writers(address, proxy, 60)
