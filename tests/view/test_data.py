"""Pages of a store and its check."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from view.conftest import Served


def test_a_store_is_listed_with_its_intervals_and_ranges(served: Served) -> None:
    page = served.ask("/data").text

    assert re.search(r"<td>HOLED</td><td>1m</td>.*2024-03-08.*2024-03-14", page)
    assert "<script>document" not in page
    assert "&lt;img/src=x" in page
    assert "BRVO" not in served.ask("/data?find=hole").text


def test_the_check_of_a_symbol_draws_its_completeness_and_its_holes(served: Served) -> None:
    page = served.ask("/data/check?symbol=HOLED").text

    assert 'class="heat"' in page
    assert "21 bars missing" in page
    assert 'href="/data?store=' in page


def test_the_check_of_all_is_one_click_away_whatever_symbols_are_called(served: Served) -> None:
    place = re.search(r'href="(/data/check\?store=[0-9a-f]{12})"', served.ask("/data").text)
    assert place is not None

    page = served.ask(place[1]).text

    assert "HOLED" in page
    assert "<img" not in page
    assert served.ask(f"/data/check?symbol={quote('</script><script>x')}").status == 422
    assert served.ask("/data?store=0").status == 422
