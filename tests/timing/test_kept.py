"""Calendars that are kept on disk: the same as those of exchange_calendars, and never in the way."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openbell.config.exchange import ExchangeConfig
from openbell.errors import ConfigError, UnknownNameError
from openbell.timing import TimeManager, calendars, exchanges
from openbell.timing.kept import CACHE_VARIABLE, Kept, cache_folder, keep
from openbell.timing.listing import list_calendars

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WORLD = ["XNYS", "XHKG", "XTKS", "XBOM", "XLON", "CMES", "XKRX", "24/7"]
ORIGIN = ("pandas 3", "rules")
COLUMNS = (np.arange(5, dtype=np.int64), np.array([-(2**63), 0, 1, 2, 2**63 - 1]))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, which a process just started knows nothing of."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    forget()
    return tmp_path / "cache" / "calendars"


@pytest.fixture(autouse=True)
def forget_afterwards() -> Iterator[None]:
    yield
    forget()


def forget() -> None:
    """Forget what this process knows of calendars."""
    for known in (calendars.load_calendar, calendars._schedule_of, calendars.calendar_names):
        known.cache_clear()
    exchanges._kept_directory.cache_clear()


def arrays(tm: TimeManager) -> list[np.ndarray]:
    grid = tm._all
    return [
        *(grid.days, grid.open_ns, grid.close_ns, np.array([grid.first_ordinal])),
        *(grid.segment_open_ns, grid.segment_close_ns, grid.segment_session, grid.segment_is_regular),
    ]


def assert_same(ours: TimeManager, theirs: TimeManager) -> None:
    assert ours.timezone == theirs.timezone
    for mine, yours in zip(arrays(ours), arrays(theirs), strict=True):
        assert mine.dtype == yours.dtype
        np.testing.assert_array_equal(mine, yours)


def made(*_: object) -> Kept:
    return Kept({"zone": "UTC", "pairs": [["09:00", "17:00"]]}, COLUMNS)


def never() -> Kept:
    raise AssertionError("it is kept, and need not be made")


def assert_is_made(kept: Kept) -> None:
    assert kept.facts == made().facts
    assert [column.tolist() for column in kept.columns] == [column.tolist() for column in COLUMNS]
    assert {column.dtype for column in kept.columns} == {np.dtype(np.int64)}


@pytest.mark.parametrize("exchange", WORLD)
def test_a_kept_calendar_is_the_one_that_was_worked_out(
    exchange: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cold = TimeManager(exchange)
    assert len(list(folder.iterdir())) == 2, "the calendar and the directory"
    forget()
    warm = TimeManager(exchange)
    forget()
    monkeypatch.setenv(CACHE_VARIABLE, "off")
    without = TimeManager(exchange)

    assert arrays(cold)[0] is not arrays(warm)[0]
    assert_same(warm, cold)
    assert_same(without, cold)


@pytest.mark.parametrize("exchange", [name for name in WORLD if name != "XKRX"])
def test_a_calendar_ends_where_that_of_exchange_calendars_does(exchange: str, folder: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pandas, about exchange_calendars
        from exchange_calendars import get_calendar

        theirs = get_calendar(exchange)
    tm = TimeManager(exchange)

    assert abs((tm.last_day - theirs.last_session.date()).days) <= 1, "their today is that of the machine's zone"
    both = tm.grid(theirs.first_session.date(), min(tm.last_day, theirs.last_session.date()))
    np.testing.assert_array_equal(both.open_ns, theirs.opens_nanos[: len(both)])
    np.testing.assert_array_equal(both.close_ns, theirs.closes_nanos[: len(both)])


def test_extended_hours_and_own_sessions_rest_on_what_is_kept(folder: Path) -> None:
    likes = [
        {"name": "MINE", "like": "XNYS", "holidays": ["2024-07-05"]},
        {"name": "MINE", "like": "XNYS", "holidays": ["2024-07-08"]},
    ]

    def all_of_them() -> list[TimeManager]:
        forget()
        own = [TimeManager(ExchangeConfig.model_validate(like), session_hours="extended") for like in likes]
        return [TimeManager("XNYS", session_hours="extended"), *own]

    cold, warm = all_of_them(), all_of_them()

    for one, other in zip(warm, cold, strict=True):
        assert_same(one, other)
    days = date(2024, 7, 5), date(2024, 7, 8)
    assert [[tm.is_session(day) for day in days] for tm in warm] == [[True, True], [False, True], [True, False]]


def test_the_directory_is_kept_as_it_was_made(folder: Path) -> None:
    cold = list_calendars(), calendars.calendar_names(), exchanges.directory()
    forget()

    assert (list_calendars(), calendars.calendar_names(), exchanges.directory()) == cold
    assert cold[2] == exchanges._directory()
    with pytest.raises(UnknownNameError, match=r"unknown calendar 'XNYZ'\. Did you mean 'XNZE' or 'XNYS'"):
        TimeManager("XNYZ")


def test_what_is_kept_needs_neither_pandas_nor_exchange_calendars(folder: Path) -> None:
    program = (
        "import sys; from datetime import date; from openbell.timing import TimeManager;"
        "print(TimeManager('NASDAQ', session_hours='extended').session(date(2024, 7, 3)));"
        "print([m for m in ('pandas', 'exchange_calendars') if m in sys.modules])"
    )
    cold, warm = (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.splitlines()
        for _ in range(2)
    )

    assert cold[0] == warm[0]
    assert (cold[1], warm[1]) == ("['pandas', 'exchange_calendars']", "[]")


def test_processes_that_start_at_once_agree(folder: Path) -> None:
    program = (
        "from openbell.timing import TimeManager; import hashlib;"
        "print(hashlib.sha256(TimeManager('XHKG')._all.segment_open_ns.tobytes()).hexdigest())"
    )

    def run(_: int) -> str:
        return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    with ThreadPoolExecutor(3) as pool:
        assert len({*pool.map(run, range(3))}) == 1
    assert len(list(folder.iterdir())) == 2, "no half-written file is left"


def test_what_is_kept_comes_back(folder: Path) -> None:
    assert_is_made(keep("a/b", ORIGIN, made))
    kept = keep("a/b", ORIGIN, never)

    assert_is_made(kept)
    assert not any(column.flags.writeable for column in kept.columns)
    assert keep("facts", ORIGIN, lambda: Kept({"n": 1})).facts == keep("facts", ORIGIN, never).facts == {"n": 1}


def test_files_of_years_ago_are_taken_out(folder: Path) -> None:
    for name in ("a", "b"):
        keep(name, ORIGIN, made)
    old = next(folder.glob("a-*"))
    year = 366 * 86_400
    for file, years in ((old, 2), (next(folder.glob("b-*")), 1)):
        os.utime(file, (file.stat().st_atime, file.stat().st_mtime - years * year))

    keep("c", ORIGIN, made)

    assert sorted(file.name[0] for file in folder.iterdir()) == ["b", "c"]


@pytest.mark.parametrize("other", [("pandas 4", "rules"), ("pandas 3", "other rules"), ("pandas 3",)])
def test_what_was_made_of_something_else_is_not_taken(other: tuple[str, ...], folder: Path) -> None:
    keep("a", ORIGIN, lambda: Kept({"old": True}))

    assert_is_made(keep("a", other, made))
    assert keep("a", ORIGIN, never).facts == {"old": True}


def test_a_file_under_the_name_of_another_is_not_taken(folder: Path) -> None:
    keep("a", ORIGIN, lambda: Kept({"wrong": True}))
    (path,) = folder.iterdir()
    keep("b", ORIGIN, made)
    (other,) = (file for file in folder.iterdir() if file != path)
    other.write_bytes(path.read_bytes())

    assert_is_made(keep("b", ORIGIN, made))


@settings(max_examples=60)
@given(data=st.data())
def test_damage_is_found_and_mended(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CACHE_VARIABLE, str(tmp_path_factory.mktemp("damaged")))
        keep("a", ORIGIN, made)
        (path,) = (cache_folder() / "calendars").iterdir()
        whole = path.read_bytes()
        place = data.draw(st.integers(0, len(whole) - 1))
        damaged: bytes = data.draw(
            st.one_of(
                st.just(whole[:place]),
                st.integers(1, 255).map(lambda flip: whole[:place] + bytes([whole[place] ^ flip]) + whole[place + 1 :]),
                st.binary(max_size=200),
                st.just(whole + b"more"),
            )
        )
        path.write_bytes(damaged)

        assert_is_made(keep("a", ORIGIN, made))
        assert path.read_bytes() == whole
        assert_is_made(keep("a", ORIGIN, never))


def test_damage_is_logged(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keep("a", ORIGIN, made)
    (path,) = folder.iterdir()
    path.write_bytes(b"not ours")
    capsys.readouterr()

    assert_is_made(keep("a", ORIGIN, made))

    out = capsys.readouterr()
    assert "a file of the calendar cache is damaged; it is made anew" in out.out + out.err
    assert path.name in out.out + out.err


def test_a_cache_that_cannot_be_used_is_no_error(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    occupied = tmp_path / "a file"
    occupied.write_text("not a folder")
    monkeypatch.setenv(CACHE_VARIABLE, str(occupied))
    assert_is_made(keep("a", ORIGIN, made))

    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    keep("a", ORIGIN, made)
    (path,) = folder.iterdir()
    path.unlink()
    path.mkdir()
    assert_is_made(keep("a", ORIGIN, made))


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="who may write everywhere meets no read-only folder")
def test_a_folder_that_is_read_only_is_read(folder: Path) -> None:
    keep("a", ORIGIN, made)
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        assert_is_made(keep("a", ORIGIN, never))
        assert_is_made(keep("b", ORIGIN, made))
    finally:
        folder.chmod(stat.S_IRWXU)


@pytest.mark.parametrize("word", ["off", "OFF"])
def test_nothing_is_kept_when_that_is_asked_for(word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(CACHE_VARIABLE, word)

    assert_is_made(keep("a", ORIGIN, made))
    assert_is_made(keep("a", ORIGIN, made))
    assert list(tmp_path.iterdir()) == []


def test_the_cache_is_in_the_folder_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CACHE_VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))

    found = cache_folder()

    assert found is not None
    assert found.name.casefold() in ("openbell", "cache")
    assert found.is_relative_to(tmp_path) or os.name == "nt"


def test_other_releases_and_other_rules_are_other_calendars(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def files_of_london() -> int:
        forget()
        TimeManager("XLON")
        return len([*folder.glob("XLON-*")])

    first = files_of_london()
    stamp, rules = exchanges._installed(), exchanges._rules_of("Europe/London")
    assert stamp is not None
    monkeypatch.setattr(exchanges, "_installed", lambda: ("pandas 99", *stamp[1:]))
    other_release = files_of_london()
    monkeypatch.setattr(exchanges, "_rules_of", lambda _zone: rules[::-1])
    other_rules = files_of_london()
    monkeypatch.setattr(calendars, "today_utc", lambda: date(2031, 1, 1))
    other_year = files_of_london()

    assert [first, other_release, other_rules, other_year, files_of_london()] == [1, 2, 3, 4, 4]
    assert TimeManager("XLON").last_day == date(2031, 12, 31)


def test_the_source_of_exchange_calendars_is_part_of_the_stamp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "exchange_calendars"
    (package / "deep").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "deep" / "rules.py").write_text("HOLIDAY = 1")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "exchange_calendars")
    before = exchanges._installed.__wrapped__()
    (package / "deep" / "rules.py").write_text("HOLIDAY = 2")
    after = exchanges._installed.__wrapped__()

    assert before[:-1] == after[:-1]
    assert before[-1] != after[-1]


def test_a_calendar_that_was_registered_by_hand_is_not_taken_from_the_cache(folder: Path) -> None:
    program = """if True:
        from datetime import date
        import pandas as pd
        from exchange_calendars import register_calendar_alias, register_calendar_type
        from exchange_calendars.exchange_calendar_xlon import XLONExchangeCalendar
        from openbell.timing import TimeManager

        class Shorter(XLONExchangeCalendar):
            @property
            def adhoc_holidays(self):
                return [*super().adhoc_holidays, pd.Timestamp("2024-07-02")]

        register_calendar_type("XLON", Shorter, force=True)
        register_calendar_type("SHORT", Shorter)
        register_calendar_alias("SMALL", "SHORT")
        print([TimeManager(name).is_session(date(2024, 7, 2)) for name in ("XLON", "LSE", "SHORT", "SMALL", "XPAR")])
    """
    for name in ("XLON", "XPAR"):
        assert TimeManager(name).is_session(date(2024, 7, 2))

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "[False, False, False, False, True]\n"
    forget()
    assert TimeManager("XLON").is_session(date(2024, 7, 2)), "nothing of it is kept"


def test_a_calendar_that_cannot_be_built_is_not_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> Any:
        raise ConfigError("cannot build")

    with pytest.raises(ConfigError, match="cannot build"):
        keep("a", ORIGIN, fail)
    assert_is_made(keep("a", ORIGIN, made))


def test_the_zone_rules_are_those_that_python_reads() -> None:
    assert exchanges._rules_of("America/New_York") != exchanges._rules_of("Asia/Tokyo")
    assert exchanges._rules_of("UTC") == exchanges._rules_of("UTC")


def test_where_there_is_no_database_of_the_system_that_of_the_package_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchanges.zoneinfo, "TZPATH", ())

    assert len({exchanges._rules_of(zone) for zone in ("America/New_York", "Asia/Tokyo", "UTC")}) == 3


def test_the_year_ahead_of_a_leap_day_ends_in_february(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calendars, "today_utc", lambda: date(2028, 2, 29))

    assert calendars._in_a_year() == date(2029, 2, 28)
