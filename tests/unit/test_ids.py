"""Ids rise, whatever the clock does, and no two are equal."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from app.kernel.ids import new_id


def test_ids_of_one_process_rise_also_within_a_millisecond():
    ids = [new_id() for _ in range(5_000)]
    assert ids == sorted(set(ids))
    assert {uuid.UUID(one).version for one in ids} == {7}


def test_ids_rise_when_the_clock_is_set_back(monkeypatch):
    before = new_id()
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    assert before < new_id() < new_id()


def test_threads_never_draw_the_same_id():
    with ThreadPoolExecutor(4) as pool:
        ids = list(pool.map(lambda _number: new_id(), range(4_000)))
    assert len(set(ids)) == 4_000
