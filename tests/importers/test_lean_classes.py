"""LEAN's other asset classes come from its documented layout: crypto, forex, indexes and futures by contract."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from openbell.errors import ConfigError, DataError
from openbell.importers.lean.lean import import_lean
from openbell.store.store import BarStore

if TYPE_CHECKING:
    from pathlib import Path

OPEN_MS = 34_200_000  # half past nine


@pytest.fixture
def store(tmp_path: Path) -> BarStore:
    return BarStore.open_or_create(tmp_path / "store")


@pytest.fixture
def lean(tmp_path: Path) -> Path:
    return tmp_path / "lean"


def put(path: Path, **members: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(f"{name}.csv", text)


def rows(store: BarStore, symbol: str, interval: str) -> list[tuple]:
    return store.read([symbol], interval, None, None).drop("symbol").rows()


def test_crypto_has_prices_as_they_are_and_times_in_utc(lean: Path, store: BarStore) -> None:
    put(lean / "crypto/coinbase/minute/btcusd/20180404_trade.zip", a=f"{OPEN_MS},7000.5,7001,6999.25,7000,0.125\n")
    put(lean / "crypto/coinbase/minute/btcusd/20180404_quote.zip", a=f"{OPEN_MS},1,1,1,1,1,1,1,1,1,1\n")
    put(lean / "crypto/coinbase/daily/btcusd_trade.zip", btcusd="20180404 00:00,7000,7100,6900,7050,12.5\n")
    put(lean / "crypto/coinbase/daily/btcusd_quote.zip", btcusd="20180404 00:00,1,1,1,1,1,1,1,1,1,1\n")
    put(lean / "crypto/coinbase/hour/btcusd_trade.zip", btcusd="20180404 08:00,7000,7100,6900,7050,2.5\n")
    import_lean(lean, store)

    time = datetime(2018, 4, 4, 9, 30, tzinfo=UTC)
    assert rows(store, "BTCUSD", "1m") == [(time, 7000.5, 7001.0, 6999.25, 7000.0, 0.125)]
    assert rows(store, "BTCUSD", "1d") == [(datetime(2018, 4, 4, tzinfo=UTC), 7000.0, 7100.0, 6900.0, 7050.0, 12.5)]
    assert rows(store, "BTCUSD", "60m") == [(datetime(2018, 4, 4, 8, tzinfo=UTC), 7000.0, 7100.0, 6900.0, 7050.0, 2.5)]


def test_forex_is_the_middle_of_bid_and_ask_or_the_one_that_is_there(lean: Path, store: BarStore) -> None:
    quotes = "0,1.10,1.20,1.00,1.15,5,1.12,1.22,1.02,1.17,7\n60000,,,,,,1.12,1.22,1.02,1.17,7\n"
    put(lean / "forex/oanda/minute/eurusd/20140501_quote.zip", a=quotes)
    put(lean / "forex/oanda/daily/eurusd.zip", eurusd="20140501 00:00,1,2,0.5,1.5,1,2,3,1.5,2.5,1\n")
    import_lean(lean, store)

    first, second = rows(store, "EURUSD", "1m")
    assert first[0] == datetime(2014, 5, 1, tzinfo=UTC)
    assert first[1:] == pytest.approx((1.11, 1.21, 1.01, 1.16, 0))
    assert second[1:] == (1.12, 1.22, 1.02, 1.17, 0.0)
    assert rows(store, "EURUSD", "1d")[0][1:] == (1.5, 2.5, 1.0, 2.0, 0.0)


def test_futures_are_stored_by_contract(lean: Path, store: BarStore) -> None:
    december = f"{OPEN_MS},1650,1651,1649,1650.25,10\n"
    march = f"{OPEN_MS},1640,1641,1639,1640.25,3\n"
    put(
        lean / "future/cme/minute/es/20131007_trade.zip",
        **{"20131007_es_minute_trade_201312_20131220": december, "20131007_es_minute_trade_201403_20140321": march},
    )
    put(lean / "future/cme/minute/es/20131007_openinterest.zip", a="1,1\n")
    put(lean / "future/cme/daily/es_trade.zip", es_trade_201312_20131220="20131007 00:00,1,2,0.5,1.5,7\n")
    import_lean(lean, store, symbols=["ES"])

    assert store.symbols() == ("ESH14", "ESZ13")
    assert rows(store, "ESZ13", "1m") == [
        (datetime(2013, 10, 7, 9, 30, tzinfo=UTC), 1650.0, 1651.0, 1649.0, 1650.25, 10.0)
    ]
    assert rows(store, "ESZ13", "1d")[0][1:] == (1.0, 2.0, 0.5, 1.5, 7.0)
    assert import_lean(lean, store, symbols=["esz13"]).written.unchanged == 2


def test_a_zip_without_contracts_in_it_is_told(lean: Path, store: BarStore) -> None:
    put(lean / "future/cme/daily/es_trade.zip", es_trade_201312_20131220="20131007 00:00,1,2,0.5,1.5,7\n")
    put(lean / "future/cme/daily/nq_trade.zip", nq="20131007 00:00,1,2,0.5,1.5,7\n")
    report = import_lean(lean, store)

    assert [(path.name, "contract's month" in reason) for path, reason in report.failed] == [("nq_trade.zip", True)]
    assert store.symbols() == ("ESZ13",)


def test_the_time_zone_comes_from_leans_market_hours_or_must_be_said(lean: Path, store: BarStore) -> None:
    put(lean / "index/eurex/minute/sx5e/20240729_trade.zip", a=f"{OPEN_MS},4900,4901,4899,4900,0\n")
    with pytest.raises(ConfigError, match=r"which time zone are the times of index/eurex \(SX5E\).*--timezone"):
        import_lean(lean, store)
    import_lean(lean, store, timezone="UTC")
    assert rows(store, "SX5E", "1m")[0][0] == datetime(2024, 7, 29, 9, 30, tzinfo=UTC)

    hours = lean / "market-hours" / "market-hours-database.json"
    hours.parent.mkdir()
    hours.write_text(json.dumps({"entries": {"Index-eurex-[*]": {"dataTimeZone": "Europe/Berlin"}}}))
    again = BarStore.open_or_create(store.path.with_name("again"))
    import_lean(lean, again)
    assert rows(again, "SX5E", "1m")[0][0] == datetime(2024, 7, 29, 7, 30, tzinfo=UTC)

    hours.write_text("{")
    with pytest.raises(DataError, match=r"market-hours-database\.json cannot be read"):
        import_lean(lean, store)


def test_the_index_of_the_documentation_opens_at_half_past_nine_in_new_york(lean: Path, store: BarStore) -> None:
    put(lean / "index/usa/minute/spx/20210104_trade.zip", a="30600000,3764.61,3769.99,3764.61,3766.63,59\n")
    import_lean(lean / "index/usa", store)

    assert rows(store, "SPX", "1m")[0][:2] == (datetime(2021, 1, 4, 14, 30, tzinfo=UTC), 3764.61)


def test_a_symbol_of_two_markets_is_refused(lean: Path, store: BarStore) -> None:
    for market in ("coinbase", "bitfinex"):
        put(lean / f"crypto/{market}/daily/btcusd_trade.zip", btcusd="20180404 00:00,7000,7100,6900,7050,12.5\n")

    with pytest.raises(ConfigError, match="BTCUSD is in crypto/bitfinex and in crypto/coinbase"):
        import_lean(lean, store)
    import_lean(lean / "crypto" / "coinbase", store)
    assert store.symbols() == ("BTCUSD",)
