"""A daily bar whose day ends after its session shows nothing before it is known: sessions make their own, or refuse."""

from __future__ import annotations

import zipfile
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from openbell.errors import DataError
from openbell.importers.lean import import_lean
from openbell.market_data.manager import DataManager
from openbell.quality.checker import check_store
from openbell.store.store import BarStore
from openbell.timing import TimeManager

if TYPE_CHECKING:
    from pathlib import Path

DAYS = [date(2014, 5, day) for day in (5, 6, 7, 8)]


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", text)


def price(time: datetime) -> float:
    """A price that tells its hour: it rises through all time."""
    return 1 + (time - datetime(2014, 5, 1, tzinfo=UTC)) / timedelta(days=1)


def lean_folder(folder: Path, *, minutes: bool, kind: str = "forex/oanda") -> Path:
    """LEAN's bars of forex: days, and maybe minutes, both of UTC."""
    quote = kind.startswith("forex")
    times = [datetime(d.year, d.month, d.day, tzinfo=UTC) for d in DAYS]

    def row(stamp: object, first: float, last: float) -> str:
        prices = f"{first},{last},{first},{last}"
        return f"{stamp},{prices},1,{prices},1\n" if quote else f"{stamp},{prices},1\n"

    day = timedelta(days=1)
    name = "eurusd.zip" if quote else "eurusd_trade.zip"
    put(folder / kind / "daily" / name, "".join(row(f"{t:%Y%m%d} 00:00", price(t), price(t + day)) for t in times))
    if minutes:
        for t in times:
            rows = [(n, t + timedelta(minutes=n)) for n in range(1440)]
            text = "".join(row(n * 60_000, price(m), price(m + timedelta(minutes=1))) for n, m in rows)
            put(folder / kind / f"minute/eurusd/{t:%Y%m%d}_{'quote' if quote else 'trade'}.zip", text)
    return folder


def stored(tmp_path: Path, **keys: Any) -> BarStore:
    store = BarStore.open_or_create(tmp_path / "store")
    import_lean(lean_folder(tmp_path / "lean", **keys), store)
    return store


def test_a_sessions_daily_bar_ends_with_the_session_not_with_the_utc_day(tmp_path: Path) -> None:
    view = DataManager(stored(tmp_path, minutes=True), TimeManager("FX")).on_day(DAYS[3])
    bars = view.load_historical_bars("EURUSD", "1d", DAYS[1], DAYS[2])
    assert view.base_intervals("EURUSD") == ("1m",)
    closes = [datetime(2014, 5, day, 21, tzinfo=UTC) for day in (6, 7)]
    assert bars.close.tolist() == pytest.approx([price(close) for close in closes])
    assert bars.end.tolist() == [int(close.timestamp()) * 10**9 for close in closes]


@pytest.mark.parametrize("interval", ["1d", "2d", "1w"])
def test_without_minutes_it_is_refused_by_name(tmp_path: Path, interval: str) -> None:
    view = DataManager(stored(tmp_path, minutes=False), TimeManager("FX")).on_day(DAYS[3])
    with pytest.raises(
        DataError, match=r"EURUSD .* are days in UTC, which end after the sessions of F.* Import its 1m"
    ):
        view.load_historical_bars("EURUSD", interval, DAYS[1], DAYS[2])


def test_where_sessions_are_utc_days_they_are_read_as_they_are(tmp_path: Path) -> None:
    view = DataManager(stored(tmp_path, minutes=True, kind="crypto/coinbase"), TimeManager("24/7")).on_day(DAYS[3])
    assert view.base_intervals("EURUSD") == ("1m", "1d")
    assert len(view.load_historical_bars("EURUSD", "1d", DAYS[0], DAYS[3])) == 4


@pytest.mark.parametrize(("exchange", "kinds"), [("FX", 1), ("24/7", 0)])
def test_the_check_of_the_store_says_so(tmp_path: Path, exchange: str, kinds: int) -> None:
    report = check_store(stored(tmp_path, minutes=False), exchange)
    (series,) = report.series
    assert [f.text.startswith("they are days in UTC") for f in series.findings if f.kind == "other_days"] == [
        True
    ] * kinds
