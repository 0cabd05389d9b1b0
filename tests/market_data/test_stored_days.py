"""A daily bar whose day ends after its session shows nothing before it is known: sessions make their own, or refuse."""

from __future__ import annotations

import zipfile
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from typer.testing import CliRunner

from openbell.cli.app import app
from openbell.config.exchange import ExchangeConfig
from openbell.errors import BadBarsError, DataError
from openbell.importers.lean.lean import import_lean
from openbell.market_data.data_manager import DataManager
from openbell.market_data.stored_facts import StoredDays
from openbell.quality.checker import check_store
from openbell.store.day_zones import read_day_zones
from openbell.store.store import BarStore
from openbell.timing import TimeManager

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

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


def test_an_import_that_stores_no_daily_bar_leaves_the_days_of_those_that_are_there(tmp_path: Path) -> None:
    store = BarStore.open_or_create(tmp_path / "store")
    times = [datetime(day.year, day.month, day.day, tzinfo=UTC) for day in DAYS]
    prices = dict.fromkeys(("open", "high", "low", "close", "volume"), [1.0] * len(times))
    store.write("EURUSD", "1d", pl.DataFrame({"timestamp": times, **prices}))
    put(tmp_path / "lean/forex/oanda/daily/eurusd.zip", "20140505 00:00,no,price,is,here,1,no,price,is,here,1\n")
    with pytest.raises(BadBarsError):
        import_lean(tmp_path / "lean", store)

    assert read_day_zones(store.path, BarStore.open(store.path).manifest) == {}
    view = DataManager(BarStore.open(store.path), TimeManager("FX")).on_day(DAYS[3])
    assert len(view.load_historical_bars("EURUSD", "1d", DAYS[0], DAYS[2])) == 3


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


ROWS = [(day, 1.1 + 0.01 * n) for n, day in enumerate(DAYS)]


def csv_of_days(folder: Path, form: str = "%Y-%m-%d", name: str = "EURUSD.csv") -> Path:
    path = folder / name
    lines = [f"{day:{form}},{price},{price},{price},{price},1" for day, price in ROWS]
    path.write_text("\n".join(["date,open,high,low,close,volume", *lines]) + "\n")
    return path


def parquet_of_days(folder: Path) -> Path:
    columns = {name: [price for _, price in ROWS] for name in ("open", "high", "low", "close")}
    path = folder / "EURUSD.parquet"
    pl.DataFrame({"date": DAYS, **columns, "volume": 1.0}).write_parquet(path)
    return path


def imported(folder: Path, path: Path, *options: str) -> Result:
    kind = path.suffix[1:]
    arguments = ["data", "import", kind, str(path), "--store", str(folder / "store"), "--yes", *options]
    return CliRunner().invoke(app, arguments)


NIGHTS = [
    "FOREX", "CMES", "US_FUTURES", "IEPA",
    ExchangeConfig(name="SGT", timezone="Asia/Singapore", open="00:00", close="24:00"),
    ExchangeConfig(name="NIGHT", timezone="America/New_York", open="18:00", close="04:00"),
]  # fmt: skip
DAYTIMES = [
    "XNYS",
    "XLON",
    "XTKS",
    "XSAU",
    "24/7",
    ExchangeConfig(name="DESK", like="XETR", open="08:00", close="22:00"),
]


@pytest.mark.parametrize("write", [csv_of_days, parquet_of_days])
@pytest.mark.parametrize("exchange", NIGHTS, ids=str)
def test_bars_with_dates_of_which_nobody_said_what_they_are_show_nothing_early(
    tmp_path: Path, write: Callable[[Path], Path], exchange: str | ExchangeConfig
) -> None:
    assert imported(tmp_path, write(tmp_path)).exit_code == 0
    store = BarStore.open(tmp_path / "store")

    with pytest.raises(DataError, match=r"it is not recorded whether a date is that of a session.* --days session"):
        DataManager(store, TimeManager(exchange)).on_day(DAYS[3]).load_historical_bars("EURUSD", "1d", DAYS[1], DAYS[2])

    (series,) = check_store(store, exchange).series
    (finding,) = (f for f in series.findings if f.kind == "other_days")
    assert "days that nobody named, which may end after the sessions do" in finding.text
    assert series.in_short(TimeManager(exchange).timezone) == [
        "4 daily bars that no session reads (2014-05-05 to 2014-05-08)"
    ]


@pytest.mark.parametrize("exchange", DAYTIMES, ids=str)
def test_a_date_is_that_of_a_session_where_sessions_lie_within_a_day(
    tmp_path: Path, exchange: str | ExchangeConfig
) -> None:
    assert "days" not in imported(tmp_path, csv_of_days(tmp_path)).output
    store = BarStore.open(tmp_path / "store")
    view = DataManager(store, TimeManager(exchange)).on_day(DAYS[3])

    assert view.base_intervals("EURUSD") == ("1d",)
    assert not [f for one in check_store(store, exchange).series for f in one.findings if f.kind == "other_days"]


def test_sessions_make_daily_bars_of_minutes_in_place_of_such(tmp_path: Path) -> None:
    store = stored(tmp_path, minutes=True)
    CliRunner().invoke(app, ["data", "rm", "EURUSD", "--store", str(store.path), "--interval", "1d", "--yes"])
    assert imported(tmp_path, csv_of_days(tmp_path)).exit_code == 0

    view = DataManager(BarStore.open(store.path), TimeManager("FX")).on_day(DAYS[3])

    assert view.base_intervals("EURUSD") == ("1m",)


def test_a_later_word_holds_for_bars_that_are_there(tmp_path: Path) -> None:
    path = csv_of_days(tmp_path)
    for options, refused in (((), True), (("--days", "session"), False)):
        imported(tmp_path, path, *options)
        zones = read_day_zones(tmp_path / "store", BarStore.open(tmp_path / "store").manifest)
        assert (StoredDays(zones, TimeManager("FX")).beyond_sessions(["EURUSD"], DAYS[3]) is not None) == refused


def test_what_somebody_says_of_the_days_holds(tmp_path: Path) -> None:
    def bases(exchange: str) -> tuple[str, ...]:
        view = DataManager(BarStore.open(tmp_path / "store"), TimeManager(exchange)).on_day(DAYS[3])
        try:
            return tuple(map(str, view.load_historical_bars("EURUSD", "1d", DAYS[1], DAYS[2]).close))
        except DataError as refused:
            return (str(refused),)

    path = csv_of_days(tmp_path)
    imported(tmp_path, path, "--days", "session")
    assert bases("FOREX") == ("1.11", "1.12")
    imported(tmp_path, path)  # without a word, what was said stays
    assert bases("FOREX") == ("1.11", "1.12")
    imported(tmp_path, path, "--days", "UTC")
    assert "days in UTC, which end after the sessions of FOREX" in bases("FOREX")[0]
    assert "days in UTC" in bases("XNYS")[0]
    imported(tmp_path, path)
    assert "days in UTC" in bases("XNYS")[0]
    imported(tmp_path, path, "--days", "session")
    assert bases("FOREX") == bases("XNYS") == ("1.11", "1.12")


def test_the_import_says_that_it_does_not_know_where_that_matters(tmp_path: Path) -> None:
    told = imported(tmp_path, csv_of_days(tmp_path), "--exchange", "FOREX", "--json")
    given = imported(tmp_path, csv_of_days(tmp_path), "--exchange", "FOREX", "--json", "--days", "session")

    assert "note: days not known: sessions of FOREX begin on the evening before" in told.stderr
    assert "note" not in given.stderr


def test_instants_at_the_opens_of_sessions_are_sessions(tmp_path: Path) -> None:
    opens = TimeManager("FOREX").grid(DAYS[0], DAYS[3]).open_ns.tolist()
    lines = [f"{ns // 10**9},{p},{p},{p},{p},1" for ns, (_, p) in zip(opens, ROWS, strict=True)]
    path = tmp_path / "EURUSD.csv"
    path.write_text("\n".join(["time,open,high,low,close,volume", *lines]) + "\n")
    assert imported(tmp_path, path, "--exchange", "FOREX").exit_code == 0

    view = DataManager(BarStore.open(tmp_path / "store"), TimeManager("FOREX")).on_day(DAYS[3])

    assert view.load_historical_bars("EURUSD", "1d", DAYS[0], DAYS[3]).close.tolist() == [price for _, price in ROWS]


@pytest.mark.parametrize("days", ["Mars", "", "../etc", "session\0"])
def test_days_that_are_none_are_refused(tmp_path: Path, days: str) -> None:
    refused = imported(tmp_path, csv_of_days(tmp_path), "--days", days)

    assert (refused.exit_code, "write session, or the time zone" in refused.stderr) == (2, True), refused.output
    assert not (tmp_path / "store").exists()


def test_the_note_is_under_the_manifest_and_verified(tmp_path: Path) -> None:
    imported(tmp_path, csv_of_days(tmp_path))
    (tmp_path / "store" / "days" / "zones.parquet").unlink()

    assert CliRunner().invoke(app, ["data", "verify", "--store", str(tmp_path / "store")]).exit_code == 1
    with pytest.raises(DataError, match=r"zones.parquet is damaged \(it is missing\)"):
        DataManager(BarStore.open(tmp_path / "store"), TimeManager("FOREX"))


def test_days_of_intraday_bars_are_refused(tmp_path: Path) -> None:
    lines = [f"2024-07-01T14:{minute:02}:00Z,1,1,1,1,1" for minute in range(30)]
    path = tmp_path / "EURUSD.csv"
    path.write_text("\n".join(["time,open,high,low,close,volume", *lines]) + "\n")
    for options in ((), ("--interval", "1m")):
        refused = imported(tmp_path, path, "--days", "UTC", *options)
        assert (refused.exit_code, "these are 1m bars" in refused.stderr) == (2, True), refused.output
