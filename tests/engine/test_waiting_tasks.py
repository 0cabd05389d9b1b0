"""Tasks of a kind stay with the worker that has begun with them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from openbell.engine.workers.waiting_tasks import WaitingTasks


def kind_of(task: str) -> str:
    return task[0]


def test_a_worker_goes_on_with_its_kind_and_leaves_those_of_others_to_them() -> None:
    waiting = WaitingTasks(["a1", "b1", "c1", "a2", "b2"], kind_of)
    assert waiting.take(None, set()).task == "a1"
    assert waiting.take(None, {"a"}).task == "b1"
    assert waiting.take("b", {"a"}).task == "b2"
    assert waiting.take("b", {"a"}).task == "c1"  # of a kind that nobody does
    assert waiting.take("c", {"a"}).task == "a2"  # only that of another is left
    assert not waiting


def test_a_task_that_was_put_back_is_the_next_of_its_kind() -> None:
    waiting = WaitingTasks(["a1", "a2"], kind_of)
    first = waiting.take(None, set())
    waiting.put_back(first)
    assert [waiting.take("a", set()).task for _ in range(2)] == ["a1", "a2"]


@given(st.lists(st.sampled_from("abcd")), st.integers(1, 3))
def test_each_task_is_taken_once_and_those_of_a_kind_in_their_order(kinds: list[str], workers: int) -> None:
    tasks = [(kind, place) for place, kind in enumerate(kinds)]
    waiting = WaitingTasks(tasks, lambda task: task[0])
    last: list[str | None] = [None] * workers
    taken = []
    while waiting:
        for worker in range(workers):
            if waiting:
                job = waiting.take(last[worker], {one for one in last if one is not None} - {last[worker] or ""})
                last[worker] = job.task[0]
                taken.append(job.task)
    assert sorted(taken, key=lambda task: task[1]) == tasks
    for kind in set(kinds):
        places = [place for one, place in taken if one == kind]
        assert places == sorted(places)
