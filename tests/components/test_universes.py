"""Universes of scanners read the same from every kind of file, and bad files are reported."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbell.components.universes import load_universe
from openbell.errors import ConfigError

SYMBOLS = st.lists(st.from_regex(r"[A-Z]{1,5}(\.[AB])?", fullmatch=True), min_size=1, max_size=20, unique=True)


@given(SYMBOLS)
def test_a_universe_reads_the_same_from_every_kind_of_file(
    tmp_path_factory: pytest.TempPathFactory, symbols: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("universe")
    (folder / "u.txt").write_text("# ours\n\n" + "".join(f"{s}  # a comment\n" for s in symbols))
    (folder / "u.csv").write_text("name,Symbol\n" + "".join(f'"A, B",{s}\n' for s in symbols))
    (folder / "u.json").write_text("[" + ", ".join(f'"{s}"' for s in symbols) + "]")

    for name in ("u.txt", "u.csv", "u.json"):
        assert load_universe(Path(name), folder) == tuple(symbols)
    assert load_universe(symbols, folder) == tuple(symbols)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("univers.txt", None, r"univers\.txt is not there\. Did you mean 'universe\.txt'\?"),
        ("u.dat", "A", r"u\.dat must be one of \.txt, \.csv, \.json"),
        ("u.txt", "# nothing\n", r"u\.txt cannot be read: the list of symbols is empty"),
        ("u.txt", "A\nB\nA\n", r"u\.txt cannot be read: A occurs more than once"),
        ("u.csv", "ticker\nA\n", r"u\.csv cannot be read: it has no column 'symbol'; it has ticker"),
        ("u.csv", "name,symbol\nonly\n", r"u\.csv cannot be read: line 2 has no symbol"),
        ("u.csv", "", r"u\.csv cannot be read: it has no column 'symbol'"),
        ("u.json", '{"A": 1}', r"u\.json cannot be read: must be a list of symbols"),
        ("u.json", "[", r"u\.json cannot be read: "),
    ],
)
def test_a_bad_universe_file_is_reported(tmp_path: Path, name: str, text: str | None, message: str) -> None:
    (tmp_path / "universe.txt").write_text("A\n")
    if text is not None:
        (tmp_path / name).write_text(text)

    with pytest.raises(ConfigError, match=message):
        load_universe(Path(name), tmp_path)
