"""`RunFolder`: what a run leaves behind: the config as resolved, the journal, the signals and the summary."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import polars as pl

from openbell.errors import ConfigError
from openbell.timing.clock import wall_stamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openbell.config import SessionConfig
    from openbell.session import SessionData

__all__ = ["RunFolder"]

_SIGNAL_COLUMNS = ("date", "time", "symbol", "action", "reason", "strategy")


class RunFolder:
    """A new folder for one run.

    Attributes:
        path: The folder.
        journal: The open journal file; the run writes one JSON line per record.

    Args:
        path: The folder; it is made, and must not hold a run already.
        config: The config, which is kept as resolved.
        keep_bars: Whether the bars of every session are kept, too, as Parquet.
        keep_indicators: Whether the indicators of every session are kept, too, as Parquet.

    Raises:
        ConfigError: The folder holds a run already, or cannot be written.
    """

    def __init__(
        self, path: Path, config: SessionConfig, *, keep_bars: bool = False, keep_indicators: bool = False
    ) -> None:
        self.path = path
        self._keep_bars = keep_bars
        self._keep_indicators = keep_indicators
        try:
            path.mkdir(parents=True, exist_ok=True)
            self.journal: TextIO = (path / "journal.jsonl").open("x", encoding="utf-8")
        except FileExistsError:
            held = "holds a run already" if path.is_dir() else "is a file"
            raise ConfigError(f"{path} {held}. Name another folder for the run with --out.") from None
        except OSError as error:
            raise ConfigError(f"cannot write the run folder {path}: {error.strerror or error}.") from error
        self._write_json("config.json", _repeatable(config))

    @staticmethod
    def default_path(session_name: str) -> Path:
        """``runs/<session>-<time>`` below the current folder; the time is the machine's, in UTC."""
        return Path("runs") / f"{session_name.replace(' ', '_')}-{wall_stamp()}"

    def keep_day(self, session_data: SessionData) -> None:
        """Write a session's bars and indicators, as far as they were asked for: one file per symbol and interval."""
        day = session_data.session_date.isoformat()
        for symbol in session_data.symbols:
            data = session_data.get_symbol_data(symbol)
            for interval, series in data.bars.items() if data else ():
                name = f"{symbol.replace('/', '%2F')}_{interval}.parquet"
                if self._keep_bars:
                    self._write_frame(Path("bars") / day / name, series.to_polars())
                columns = {
                    f"{key}.{output}" if len(indicator.outputs) > 1 else key: indicator.output(output)
                    for key, indicator in (data.indicators.items() if data else ())
                    if indicator.series is series
                    for output in indicator.outputs
                }
                if self._keep_indicators and columns:
                    frame = series.to_polars().select("timestamp", "end").with_columns(pl.DataFrame(columns))
                    self._write_frame(Path("indicators") / day / name, frame)

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Write the signals and the summary, and close the journal."""
        signals = [{"date": day["date"], **signal} for day in summary["days"] for signal in day["signals"]]
        frame = pl.DataFrame(signals, schema=dict.fromkeys(_SIGNAL_COLUMNS, pl.String))
        frame = frame.with_columns(
            pl.col("date").str.to_date("%Y-%m-%d"),
            pl.col("time").str.to_datetime("%+", time_unit="ns", time_zone="UTC"),
        )
        self._write_frame(Path("signals.parquet"), frame)
        self._write_json("summary.json", summary)
        self.journal.close()

    def _write_frame(self, name: Path, frame: pl.DataFrame) -> None:
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        frame.write_parquet(target)

    def _write_json(self, name: str, value: Any) -> None:
        (self.path / name).write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def _repeatable(config: SessionConfig) -> dict[str, Any]:
    """The resolved config with all its files named in full: it runs from the run folder as it did from its own."""
    values = config.resolved()
    folder = config.folder.resolve()
    for component in (*values["scanners"], *values["strategies"]):
        place, _, name = component["module"].rpartition(":")
        if place.endswith(".py"):
            component["module"] = f"{folder / Path(place).expanduser()}:{name}"
        if isinstance(component.get("universe"), str):
            component["universe"] = str(folder / Path(component["universe"]).expanduser())
    return values
