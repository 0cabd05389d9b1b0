"""A run that trades as a whole: its memory, its files, its benchmark, and what comes out twice the same."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from openbell.config import load_config
from openbell.engine.observer import SessionObserver
from openbell.engine.system import SystemManager
from openbell.errors import ComponentError, ProvisioningError
from openbell.results.folder.run_folder import RunFolder
from openbell.testing import bar_starts, make_store, random_bars
from trading import bars_of, trade

if TYPE_CHECKING:
    from pathlib import Path

DAYS = ("2024-07-02", "2024-07-05")

STRATEGY = """
from openbell import Strategy

class Turns(Strategy):
    def subscriptions(self):
        return [("ABC", "1m"), ("XYZ", "5m")]

    def setup(self):
        self.state.setdefault("entries", 0)

    def on_bar(self, bar):
        if bar.interval == "5m":
            return
        self.state["seen"] = self.state.get("seen", 0) + 1
        if self.state["seen"] % 50 == 1:
            self.state["entries"] += 1
            self.context.bracket("ABC", 10, stop=bar.close * 0.999, target=bar.close * 1.001)
            self.context.order("XYZ", -3, limit=99.5, tif="gtc")
"""


def lines_of(folder: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / f"{name}.jsonl").read_text().splitlines()]


def written(folder: Path, name: str, strategy: str = STRATEGY, **config: Any) -> Path:
    """The run folder of a run of the strategy on random bars."""
    if not (folder / "store").exists():
        starts = bar_starts(*DAYS)
        frames = {symbol: {"1m": random_bars(starts, seed=n)} for n, symbol in enumerate(("ABC", "XYZ"))}
        make_store(folder / "store", frames)
        (folder / "turns.py").write_text(strategy)
    values = {
        "session_name": "turns",
        "store": "store",
        "backtest_config": {"start_date": DAYS[0], "end_date": DAYS[1]},
        "session_data_config": {"symbols": ["ABC", "XYZ"], "streams": ["1m", "5m"]},
        "strategies": [{"module": "turns.py:Turns"}],
        "execution": {"fees": {"model": "ibkr_fixed"}, "slippage": {"model": "bps", "bps": 2}},
    } | config
    (folder / "config.json").write_text(json.dumps(values))
    loaded = load_config(folder / "config.json")
    SystemManager(loaded).run(RunFolder(folder / name, loaded))
    return folder / name


def without_wall_times(file: Path) -> bytes:
    """What a run has written, without how long its steps took on this machine."""
    content = file.read_bytes()
    if file.suffix == ".parquet":
        return content
    return re.sub(rb'"(ms|load_s|run_s)": [0-9.e-]+', rb'"\1": 0', content)


def test_two_runs_write_the_same_bytes(tmp_path: Path) -> None:
    folders = written(tmp_path, "one"), written(tmp_path, "other")

    files = [{file.relative_to(folder) for file in folder.rglob("*")} for folder in folders]
    assert files[0] == files[1]
    names = {str(name) for name in files[0]}
    assert names >= {"orders.jsonl", "state.jsonl", "journal.jsonl", "trades.parquet", "equity.parquet", "summary.json"}
    for name in files[0]:
        one, other = (without_wall_times(folder / name) for folder in folders)
        assert one == other, name
    assert json.loads((folders[0] / "summary.json").read_text())["performance"]["fills"] > 20


def test_a_batch_has_its_orders_and_states_in_one_record(tmp_path: Path) -> None:
    """Whatever is written after ``orders.jsonl`` may be missing when a run is killed."""
    folder = written(tmp_path, "one")
    orders, saved = (
        [json.loads(line) for line in (folder / name).read_text().splitlines()]
        for name in ("orders.jsonl", "state.jsonl")
    )
    last_of_time = {order["time"]: order for order in orders}

    with_orders = [state for state in saved if state["time"] in last_of_time]
    assert len(with_orders) > 20
    for state in with_orders:
        assert last_of_time[state["time"]]["states"] == {state["strategy"]: state["state"]}
    assert sum("states" in order for order in orders) == len(with_orders)


def test_with_and_without_orders_the_signals_are_the_same_bytes(tmp_path: Path) -> None:
    signals = """        if self.state["seen"] % 9 == 0:
            return Signal("ABC", "BUY" if bar.close > bar.open else "SELL")
"""
    head = STRATEGY[: STRATEGY.index("        if self.state[")]
    strategy = head.replace("import Strategy", "import Signal, Strategy") + signals
    runs = {
        "none": {"execution": None},
        "orders": {"execution": {"signals": {"BUY": {"percent": 40}, "SELL": {"percent": -20}}}},
        "strict": {"execution": {"account": "cash", "signals": {"BUY": {"percent": 90}, "SELL": "close"}}},
    }
    folders = [written(tmp_path, name, strategy=strategy, **config) for name, config in runs.items()]

    files = [[(folder / f"signals.{end}").read_bytes() for end in ("jsonl", "parquet")] for folder in folders]
    assert files[0] == files[1] == files[2]
    assert len(lines_of(folders[0], "signals")) > 100
    assert not (folders[0] / "fills.jsonl").exists()
    assert all(len(lines_of(folder, "fills")) > 50 for folder in folders[1:])


def test_state_is_saved_with_the_batches_that_have_events(tmp_path: Path) -> None:
    folder = written(tmp_path, "run")
    states = lines_of(folder, "state")
    orders = lines_of(folder, "orders")

    ends = {f"2024-07-0{day}T{clock}:00:00-04:00" for day, clock in ((2, 16), (3, 13), (5, 16))}
    events = {line["time"] for name in ("orders", "journal") for line in lines_of(folder, name)}
    firsts = {f"2024-07-0{day}T09:31:00-04:00" for day in (2, 3, 5)}  # with what subscriptions have provisioned
    assert {state["time"] for state in states} <= events | ends | firsts
    placed = {order["time"]: order["id"] for order in orders if order["status"] == "submitted"}
    first = next(state for state in states if state["time"] == next(iter(placed)))
    assert first["state"] == {"entries": 1, "seen": 1}
    assert states[-1]["state"]["seen"] == 390 + 210 + 390


def test_every_order_ends_and_no_quantity_drifts(tmp_path: Path) -> None:
    folder = written(tmp_path, "run")
    orders = lines_of(folder, "orders")
    fills = lines_of(folder, "fills")
    last = {order["id"]: order for order in orders}

    for key, order in last.items():
        filled = sum(fill["quantity"] for fill in fills if fill["order"] == key)
        assert filled == order["filled_quantity"]
        assert abs(filled) <= abs(order["quantity"])
    assert len({fill["id"] for fill in fills}) == len(fills)


def test_a_killed_run_has_its_orders_up_to_then(tmp_path: Path) -> None:
    store = make_store(tmp_path / "store", {"ABC": {"1m": bars_of([100.0])}})
    strategy = STRATEGY.replace(', ("XYZ", "5m")', "").replace('self.context.order("XYZ"', 'self.context.order("ABC"')
    (tmp_path / "turns.py").write_text(
        strategy + "        if self.state['seen'] == 60:\n            raise KeyboardInterrupt\n"
    )
    config = load_config(
        {
            "backtest_config": {"start_date": DAYS[0], "end_date": DAYS[0]},
            "session_data_config": {"symbols": ["ABC"]},
            "strategies": [{"module": f"{tmp_path / 'turns.py'}:Turns"}],
            "execution": {},
        }
    )
    with pytest.raises(KeyboardInterrupt):
        SystemManager(config, store=store).run(RunFolder(tmp_path / "run", config))

    statuses = [order["status"] for order in lines_of(tmp_path / "run", "orders")]
    assert statuses.count("accepted") >= 8
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["error"].startswith("interrupted")


def test_a_run_whose_first_day_cannot_be_provisioned_still_has_a_summary(tmp_path: Path) -> None:
    store = make_store(tmp_path / "store", {"ABC": {"1m": bars_of([100.0])}})
    config = load_config(
        {
            "backtest_config": {"start_date": DAYS[0], "end_date": DAYS[0]},
            "session_data_config": {"symbols": ["NOPE"]},
            "execution": {},
        }
    )
    system = SystemManager(config, store=store)
    with pytest.raises(ProvisioningError):
        system.run(RunFolder(tmp_path / "run", config))

    assert system.summary()["performance"]["end_equity"] == 100_000.0


def test_state_can_be_assigned_as_a_whole_and_a_bad_value_deep_in_it_is_found_when_it_is_saved(tmp_path: Path) -> None:
    frames = {"ABC": {"1m": bars_of([100.0], DAYS)}}
    seen: list[Any] = []

    def setup(self: Any) -> None:
        seen.append(dict(self.state))
        self.state = {"list": []}
        with pytest.raises(TypeError, match="state is a dictionary of JSON values, not 7"):
            self.state = 7

    trade(tmp_path / "a", frames, days=DAYS, methods={"setup": setup})
    assert seen == [{}, {"list": []}, {"list": []}]

    with pytest.raises(ComponentError, match=r"state\['list'\] cannot hold"):
        trade(
            tmp_path / "b",
            frames,
            {"10:00": lambda s: s.state["list"].append(object())},
            methods={"setup": lambda s: s.state.setdefault("list", [])},
        )


def test_observers_hear_of_orders_fills_and_states(tmp_path: Path) -> None:
    heard: list[str] = []

    class Watching(SessionObserver):
        def order_changed(self, order: Any) -> None:
            heard.append(f"order {order.status}")

        def filled(self, fill: Any) -> None:
            heard.append(f"fill {fill.quantity:g}")

        def state_saved(self, state: Any) -> None:
            heard.append(f"state {state.state}")

    (tmp_path / "one.py").write_text(
        "from openbell import Strategy\n\nclass One(Strategy):\n"
        "    def subscriptions(self): return [('ABC', '1m')]\n"
        "    def on_bar(self, bar):\n"
        "        if not self.state:\n"
        "            self.state['done'] = True\n"
        "            self.context.order('ABC', 5)\n"
    )
    store = make_store(tmp_path / "store", {"ABC": {"1m": bars_of([100.0])}})
    config = {
        "backtest_config": {"start_date": DAYS[0], "end_date": DAYS[0]},
        "session_data_config": {"symbols": ["ABC"]},
        "strategies": [{"module": f"{tmp_path / 'one.py'}:One"}],
        "execution": {},
    }
    SystemManager(config, store=store, observer=Watching()).run()

    assert heard == ["order submitted", "order accepted", 'state {"done": true}', "fill 5", "order filled"]


def test_a_benchmark_gives_alpha_and_beta_and_one_that_is_missing_says_why(tmp_path: Path) -> None:
    days = ("2024-07-02", "2024-07-12")
    starts = bar_starts("2024-07-01", days[1])
    frames = {"ABC": {"1m": random_bars(starts, seed=1)}, "IDX": {"1m": random_bars(starts, seed=1)}}
    runs = [
        trade(
            tmp_path / name,
            frames,
            {"2024-07-02 09:31": lambda s: s.context.order_target("ABC", percent=100)},
            days=days,
            execution={"benchmark": name},
        ).result
        for name in ("IDX", "NOPE")
    ]

    # The portfolio is the benchmark but for the first minute and what is left free.
    assert runs[0]["performance"]["beta"] == pytest.approx(1, abs=0.1)
    assert runs[0]["performance"]["correlation"] > 0.95
    assert runs[1]["performance"]["beta"] is None
    assert runs[1]["performance"]["unavailable"]["beta"] == "the benchmark has no returns in these sessions"
    assert runs[1].warnings[0].startswith("execution.benchmark is NOPE, of which the store has no bars.")


def test_a_run_without_orders_loads_nothing_of_them(tmp_path: Path) -> None:
    store = make_store(tmp_path / "store", {"ABC": {"1m": bars_of([100.0])}})
    code = (
        "import sys\nfrom pathlib import Path\nfrom openbell import RunFolder, SystemManager, load_config\n"
        f"config = load_config({{'backtest_config': {{'start_date': '{DAYS[0]}', 'end_date': '{DAYS[0]}'}}, "
        "'session_data_config': {'symbols': ['ABC']}})\n"
        f"SystemManager(config, store={str(store)!r}).run(RunFolder(Path({str(tmp_path / 'run')!r}), config))\n"
        "print([m for m in sys.modules if m.startswith('openbell.execution') or m in ('openbell.model.order', "
        "'openbell.model.fill', 'openbell.results.trades.ledger')])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
