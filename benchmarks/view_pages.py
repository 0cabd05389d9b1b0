"""Pages of `openbell view`: a run of 250 sessions and 500 symbols, and a chart of 100,000 bars.

python -m benchmarks.view_pages [FOLDER]

Prints seconds to answer and bytes of each page of the wide run, cold (the first time) and warm, and of the long chart
the bytes, the time to the first candle and the frames while it scrolls, in Debian's Chromium. FOLDER keeps the runs.
"""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from urllib.request import urlopen

from openbell import RunFolder, SystemManager, load_config
from openbell.testing import bar_starts, make_store, random_bars
from openbell.view.run_catalogue import Catalogue
from openbell.view.server import ViewServer

SYMBOLS, FIRST, LAST = 500, "2023-01-03", "2023-12-29"
LONG_FIRST, LONG_LAST = "2023-01-03", "2024-01-12"
_SCROLL = """async () => {
  const candles = openbell.candles, bars = candles.shown.window.rows, frames = [], steps = 600;
  candles.look(bars - 600, bars);
  let before = performance.now();
  for (let i = 0; i < steps; i++) {
    await new Promise(requestAnimationFrame);
    candles.look(bars - 600 - i * 150, bars - i * 150);
    const now = performance.now();
    frames.push(now - before);
    before = now;
  }
  frames.sort((a, b) => a - b);
  const at = (share) => frames[Math.floor(steps * share)];
  return { bars: bars, median: at(0.5), p95: at(0.95), p99: at(0.99), worst: frames[steps - 1] };
}"""
_FIRST = """() => new Promise((done) => {
  const shown = openbell.candles.shown, form = document.getElementById("pick"), old = shown.window;
  form.sessions.value = "250";
  const began = performance.now();
  form.dispatchEvent(new Event("change"));
  (function look() {
    if (shown.window !== old) requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - began)));
    else setTimeout(look, 1);
  })();
})"""
_ALL = """() => new Promise((done) => {
  const w = openbell.candles.shown.window, began = performance.now(), frame = requestAnimationFrame;
  document.querySelector("[data-chart=all]").click();
  (function look() {
    if (w.first === 0 && w.from === 0 && w.after === w.rows) frame(() => frame(() => done(performance.now() - began)));
    else setTimeout(look, 1);
  })();
})"""


def make_runs(folder: Path) -> None:
    """Make both runs, unless they are there."""
    runs = folder / "runs"
    if not (runs / "wide").exists():
        bars = random_bars(bar_starts("2022-11-01", LAST, "1d"))
        names = [f"N{number:03}" for number in range(SYMBOLS)]
        store = make_store(folder / "wide-store", {name: {"1d": bars} for name in names})
        _run(
            runs / "wide",
            {
                "store": str(store), "backtest_config": {"start_date": FIRST, "end_date": LAST},
                "session_data_config": {
                    "symbols": [*names, "NOBODY"], "streams": ["1d"],
                    "historical": {"data": [{"trailing_days": 20, "intervals": ["1d"]}]},
                    "indicators": [{"name": "sma", "period": 10, "interval": "1d"}],
                },
            },
        )  # fmt: skip
    if not (runs / "long").exists():
        bars = random_bars(bar_starts(LONG_FIRST, LONG_LAST))
        store = make_store(folder / "long-store", {"LONG": {"1m": bars}})
        _run(
            runs / "long",
            {
                "store": str(store), "backtest_config": {"start_date": LONG_LAST, "end_date": LONG_LAST},
                "session_data_config": {"symbols": ["LONG"], "streams": ["1m"]},
            },
        )  # fmt: skip


def _run(folder: Path, whole: dict[str, object]) -> None:
    config = load_config({"session_name": folder.name, **whole})
    SystemManager(config).run(RunFolder(folder, config))


def measure(folder: Path) -> None:
    """Serve both runs, and measure."""
    server = ViewServer(lambda: [folder / "runs"])
    ids = {run.name: run.id for run in Catalogue(lambda: [folder / "runs"]).runs()}
    thread = Thread(target=server.serve)
    thread.start()
    try:
        wide, day = f"run/{ids['wide']}", LAST
        for name, place in {
            "runs": "", "run": wide, "session": f"{wide}/session/{day}",
            "chart": f"{wide}/data/chart?day={day}&symbol=N250&interval=1d",
            "why": f"{wide}/why?symbol=N250", "missing": f"{wide}/why?symbol=NOBODY",
            "journal": f"{wide}/why?day={day}",
        }.items():  # fmt: skip
            (cold, size), (warm, _) = (_asked(server.address + place) for _ in range(2))
            print(f"{name:10} cold {cold:6.3f} s  warm {warm:6.3f} s  {size / 1024:8.1f} KiB")
        _long_chart(server.address, ids["long"])
    finally:
        server.stop()
        thread.join()


def _asked(address: str) -> tuple[float, int]:
    began = time.perf_counter()
    with urlopen(address) as answer:
        size = len(answer.read())
    return time.perf_counter() - began, size


def _long_chart(address: str, run: str) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900}, bypass_csp=True)
        sizes: list[int] = []
        page.on("response", lambda answer: sizes.append(len(answer.body())) if "/data/chart" in answer.url else None)
        page.goto(f"{address}run/{run}/session/{LONG_LAST}?symbol=LONG&interval=1m")
        page.wait_for_selector("#candle-chart canvas")
        sizes.clear()
        first = page.evaluate(_FIRST)
        at_first = sum(sizes)
        frames = page.evaluate(_SCROLL)
        whole = page.evaluate(_ALL)
        times = ", ".join(f"{frames[name]:.1f} ms ({name})" for name in ("median", "p95", "p99", "worst"))
        print(f"{frames['bars']:,} bars: first candle after {first:.0f} ms with {at_first / 2**10:.0f} KiB")
        print(f"scrolled through in frames of {times}")
        print(f"all of them at once after {whole:.0f} ms, {sum(sizes) / 2**20:.1f} MiB in all")
        browser.close()


def main() -> None:
    """Make and measure, in a folder that is given or a temporary one."""
    logging.disable()
    with TemporaryDirectory() as made:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else made)
        folder.mkdir(parents=True, exist_ok=True)
        make_runs(folder)
        measure(folder)


if __name__ == "__main__":
    main()
