"""Bar times of several symbols together."""

import numpy as np
import pytest

from openbell.execution.merged_times import merged_times

MINUTES = np.arange(10, 20)


@pytest.mark.parametrize(
    "columns",
    [
        [MINUTES],
        [MINUTES, MINUTES.copy(), MINUTES],
        [MINUTES, MINUTES[3:], np.array([5, 12, 40]), MINUTES],
        [np.array([7, 7, 8]), MINUTES],
        [np.empty(0, np.int64), MINUTES, np.empty(0, np.int64)],
    ],
    ids=["one", "the same", "others", "one time twice", "none of the first"],
)
def test_every_time_is_there_once_in_order(columns: list[np.ndarray]) -> None:
    found = merged_times(columns)

    assert found.dtype == np.int64
    assert found.tolist() == sorted({time for column in columns for time in column.tolist()})


def test_without_columns_there_are_no_times() -> None:
    assert merged_times([]).dtype == np.int64
    assert not len(merged_times([]))


def test_the_result_is_no_view_of_a_column() -> None:
    column = MINUTES.copy()

    merged_times([column, column])[0] = 0

    assert column[0] == 10
