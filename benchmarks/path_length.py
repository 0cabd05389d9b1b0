"""Counts the files that a reader opens to follow two paths through openbell: ``python -m benchmarks.path_length``.

A file counts when one of its functions runs; what runs while a module is imported does not.
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import openbell
from openbell.components.strategy import Strategy
from openbell.config import load_config
from openbell.demo.sample import make_demo_folder
from openbell.engine.system import SystemManager

if TYPE_CHECKING:
    from types import FrameType

    from openbell.model.bars import Bar

PACKAGE = f"{Path(openbell.__file__).parent}/"
TARGETS = {"add_symbol at 11:00": 22, "run() to the first on_bar": 30}
DAY = "2024-07-03"


class FilesRun:
    """The files of openbell whose functions ran while this was on."""

    def __init__(self) -> None:
        self.files: set[str] = set()

    def on(self) -> None:
        """Begin to record."""
        sys.setprofile(self._called)

    def off(self) -> None:
        """Stop recording."""
        sys.setprofile(None)

    def _called(self, frame: FrameType, event: str, _argument: object) -> None:
        code = frame.f_code
        # Bodies of modules and classes, which run at import, are not optimised code.
        if event == "call" and code.co_flags & inspect.CO_OPTIMIZED and code.co_filename.startswith(PACKAGE):
            self.files.add(code.co_filename.removeprefix(PACKAGE))


class Traced(Strategy):
    """Stops recording the start of the run at its first bar, and records an addition at 11:00."""

    start = FilesRun()
    addition = FilesRun()

    def subscriptions(self) -> list[tuple[str, str]]:
        return [("ALFA", "1m")]

    def on_bar(self, _bar: Bar) -> None:
        self.start.off()
        if f"{self.context.now:%H:%M}" == "11:00":
            self.addition.on()
            added = self.context.add_symbol("BRVO")
            self.addition.off()
            assert added


def config() -> dict[str, Any]:
    """One session of one symbol with derived bars, history and an indicator."""
    return {
        "session_name": "path-length",
        "backtest_config": {"start_date": DAY, "end_date": DAY},
        "session_data_config": {
            "symbols": ["ALFA"],
            "streams": ["1m", "5m"],
            "historical": {"data": [{"trailing_days": 2, "intervals": ["1m", "5m"]}]},
            "indicators": [{"name": "ema", "period": 10, "interval": "5m"}],
        },
        "strategies": [{"module": "benchmarks.path_length:Traced"}],
    }


def measured() -> dict[str, list[str]]:
    """The files of each path, in order of their names."""
    from benchmarks.path_length import Traced as Loaded  # this module is loaded a second time under its full name

    with TemporaryDirectory() as folder:
        system = SystemManager(load_config(config()), store=make_demo_folder(Path(folder)).store)
        Loaded.start.on()
        system.run()
    paths = zip(TARGETS, (Loaded.addition, Loaded.start), strict=True)
    return {name: sorted(recorded.files) for name, recorded in paths}


def main() -> int:
    """Print the paths; fail when one has more files than it should."""
    paths = measured()
    for name, files in paths.items():
        print(f"{name}: {len(files)} files (at most {TARGETS[name]})", *(f"  {file}" for file in files), sep="\n")
    return int(any(len(files) > TARGETS[name] for name, files in paths.items()))


if __name__ == "__main__":
    sys.exit(main())
