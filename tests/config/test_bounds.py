"""No config, however odd or large, ends in anything but a config or an error that names its file."""

from __future__ import annotations

from time import process_time
from typing import TYPE_CHECKING

import pytest

from openbell.config import load_config
from openbell.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)

ODD = {
    "an alias bomb": ("yaml", BOMB, "values"),
    "a value that holds itself": ("yaml", "a: &a [*a]", "holds itself"),
    "a mapping that merges itself": ("yaml", "a: &a {<<: *a}", "holds itself"),
    "deep YAML": ("yaml", "a: " + "[" * 1000 + "]" * 1000, "levels"),
    "deep mappings": ("yaml", "{a: " * 1000 + "1" + "}" * 1000, "levels"),
    "deep JSON": ("json", '{"a": ' + "[" * 1000 + "]" * 1000 + "}", "deep"),
    "very deep JSON": ("json", '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", "deep"),
    "deep TOML": ("toml", "a = " + "[" * 1000 + "]" * 1000, "deep"),
    "a long integer": ("yaml", f"a: {'1' * 5000}", "cannot be read as int"),
    "a long integer of JSON": ("json", f'{{"a": {"1" * 5000}}}', "too long"),
    "a long integer of TOML": ("toml", f"a = {'1' * 5000}", "too long"),
    "a long hexadecimal": ("toml", f"a = 0x{'f' * 5000}", "bits"),
    "a tag of another kind": ("yaml", "a: !!int abc", "'abc' cannot be read as int"),
    "an empty tagged int": ("yaml", "a: !!int ''", "int"),
    "a tagged float": ("yaml", "a: !!float abc", "float"),
    "a tagged bool": ("yaml", "a: !!bool abc", "bool"),
    "a tagged time": ("yaml", "a: !!timestamp 2024", "timestamp"),
    "a tagged time that is none": ("yaml", "a: !!timestamp 2024-99-99", "timestamp"),
    "a tagged binary": ("yaml", "a: !!binary ä", "base64"),
    "ordered pairs with a list as key": ("yaml", "symbols: !!omap [{? [a] : 1}]", "symbols"),
    "surrogates": ("json", '{"session_name": "\\ud800"}', "characters"),
    "NUL": ("json", '{"store": "a\\u0000b"}', "characters"),
    "a file without end": ("yaml", "a: " + "x" * 9_000_000, "characters"),
    "many keys": ("yaml", "".join(f"key{n}: 1\n" for n in range(60_000)), "values"),
    "many keys of JSON": ("json", "{" + ",".join(f'"key{n}": 1' for n in range(60_000)) + "}", "values"),
    "keys that nobody knows": ("json", "{" + ",".join(f'"key{n}": 1' for n in range(5_000)) + "}", "more"),
    "a long key": ("yaml", f"? {'x' * 500_000}\n: 1", "unknown key"),
}


@pytest.mark.parametrize("case", ODD)
def test_an_odd_config_is_refused_soon_and_in_few_words(tmp_path: Path, case: str) -> None:
    suffix, text, word = ODD[case]
    path = tmp_path / f"session.{suffix}"
    path.write_text(text, encoding="utf-8")
    started = process_time()

    with pytest.raises(ConfigError) as caught:
        load_config(path)

    assert str(path) in str(caught.value)
    assert word in str(caught.value)
    assert len(str(caught.value)) < 20_000
    assert process_time() - started < 20, "of this process alone, however busy the machine is"


def test_values_that_hold_themselves_are_refused() -> None:
    values: dict[str, object] = {}
    values["session_data_config"] = values
    with pytest.raises(ConfigError, match="levels"):
        load_config(values)
