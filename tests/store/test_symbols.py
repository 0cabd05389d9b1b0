"""A symbol that no folder can be named after is refused before anything is written; any other one can be mended."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from how_many import examples
from openbell.errors import StoreError
from openbell.maintenance.repair import repair
from openbell.maintenance.verify import verify
from openbell.store.layout import Partition, data_path
from openbell.store.store import BarStore
from openbell.testing import random_bars

if TYPE_CHECKING:
    from pathlib import Path

import numpy as np

MINUTE = random_bars(np.array([int(datetime(2024, 7, 1, 14, tzinfo=UTC).timestamp())]) * 10**9)


@pytest.mark.parametrize(
    ("symbol", "reason"),
    [
        ("", "at least one character"),
        ("A" * 249, "too long: its folder's name would have 256 bytes"),
        ("ü" * 42, "too long"),
        ("AB\x00C", "characters that cannot be printed"),
        ("\x1b[31mRED", "characters that cannot be printed"),
        ("two\nlines", "characters that cannot be printed"),
        ("\ud800", "characters that cannot be printed"),
        ("A" * 3_000_000, "too long"),
    ],
)
def test_a_symbol_that_no_folder_can_be_named_after_is_refused(tmp_path: Path, symbol: str, reason: str) -> None:
    store = BarStore.open_or_create(tmp_path / "store")
    store.write("GOOD", "1m", MINUTE)
    with pytest.raises(StoreError, match=reason) as refused:
        store.write(symbol, "1m", MINUTE)

    assert len(str(refused.value)) < 300
    assert str(refused.value).isprintable()
    again = BarStore.open(tmp_path / "store")
    assert again.symbols() == ("GOOD",)
    assert again.write("OTHER", "1m", MINUTE).added == 1
    assert verify(store.path).damages == ()


@pytest.mark.parametrize("symbol", ["A" * 248, "ü" * 41, "a b/c", "..", "CON"])
@pytest.mark.parametrize("interval", ["1m", "1d"])
def test_a_damaged_file_of_any_symbol_can_be_set_aside(tmp_path: Path, symbol: str, interval: str) -> None:
    store = BarStore.open_or_create(tmp_path / "store")
    day = MINUTE.with_columns(MINUTE["timestamp"].dt.truncate("1d"))
    store.write(symbol, interval, MINUTE if interval == "1m" else day)
    data_path(store.path, Partition(interval, symbol, "2024-07" if interval == "1m" else "all")).write_bytes(b"noise")

    (done,) = repair(store.path).repairs
    assert done.moved_to is not None
    assert done.moved_to.read_bytes() == b"noise"
    assert verify(store.path).damages == ()


@settings(max_examples=examples(30))
@given(st.text(max_size=300))
def test_any_text_is_stored_or_refused_in_words(tmp_path_factory: pytest.TempPathFactory, symbol: str) -> None:
    store = BarStore.open_or_create(tmp_path_factory.mktemp("any") / "store")
    try:
        store.write(symbol, "1m", MINUTE)
    except StoreError:
        assert store.symbols() == ()
    else:
        assert BarStore.open(store.path).read([symbol], "1m", None, None)["symbol"].to_list() == [symbol]
