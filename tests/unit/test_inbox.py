"""Which files of an inbox are complete, and where they go."""

import pytest

from app.aggregators.contract import AggregatorError
from app.connectors import inbox
from app.connectors.inbox import QUIET_SECONDS, waiting_files
from app.kernel import limits
from tests.memory_inbox import MemoryStore


@pytest.fixture
def store():
    return MemoryStore()


def names(store):
    return [file.name for file in waiting_files(store)]


def the_only_one(store):
    (file,) = waiting_files(store)
    return file


def test_a_file_waits_until_nobody_has_touched_it_for_a_while(store):
    store.put("october.bai", b"01,")
    store.tick(QUIET_SECONDS - 1)
    assert names(store) == []
    store.append("october.bai", b"more")
    store.tick(QUIET_SECONDS - 1)
    assert names(store) == []
    store.tick(2)
    assert names(store) == ["october.bai"]


def test_a_done_companion_says_that_a_file_is_complete_at_once(store):
    store.put("october.bai", b"01,")
    assert names(store) == []
    store.put("october.bai.done", b"")
    assert names(store) == ["october.bai"]


def test_a_done_companion_of_an_earlier_file_vouches_for_nothing(store):
    store.put("october.bai.done", b"")
    store.tick(5)
    store.put("october.bai", b"01,")
    assert names(store) == []


def test_a_time_in_the_future_was_set_after_writing(store):
    store.put("october.bai", b"01,", modified_at=store.clock + 7 * 86_400)
    assert names(store) == ["october.bai"]


def test_a_clock_a_little_ahead_does_not_make_a_growing_file_complete(store):
    store.put("october.bai", b"01,", modified_at=store.clock + 5)
    assert names(store) == []


@pytest.mark.parametrize(
    "name",
    [
        ".october.bai",
        ".october.bai.Xy12",
        "october.bai.part",
        "october.bai.PART",
        "october.bai.filepart",
        "october.tmp",
        "~october.bai",
        "october.bai~",
        "october.bai.done",
    ],
)
def test_names_that_programs_give_to_unfinished_files_are_left_alone(store, name):
    store.put(name, b"01,")
    store.tick(3_600)
    assert names(store) == []
    assert name in store.inbox


def test_the_oldest_comes_first_and_the_name_decides_between_equals(store):
    start = store.clock
    for name, age in (("c", 10), ("a", 30), ("b", 10)):
        store.put(name, b"x", modified_at=start - 3_600 - age)
    assert names(store) == ["a", "b", "c"]


def test_one_look_takes_a_bounded_number_and_the_next_goes_on(store, monkeypatch):
    monkeypatch.setattr(inbox, "FILES_PER_LOOK_MAX", 2)
    for age in range(3):
        store.put(f"{age}", b"x", modified_at=store.clock - 3_600 + age)
    taken = []
    for _ in range(2):
        for file in waiting_files(store):
            taken.append(file.name)
            file.accept()
    assert taken == ["0", "1", "2"]


def test_a_folder_that_holds_everything_is_refused_and_untouched(store, monkeypatch):
    monkeypatch.setattr(inbox, "ENTRIES_MAX", 2)
    for number in range(2):
        store.put(f"{number}", b"x", modified_at=store.clock - 3_600)
    assert len(names(store)) == 2
    store.put("2", b"x")
    with pytest.raises(AggregatorError, match="FOLDER_OVERFULL"):
        names(store)
    assert len(store.inbox) == 3


def test_an_accepted_file_is_with_the_processed_ones_unchanged(store):
    store.put("october.bai", b"content")
    store.put("october.bai.done", b"")
    file = the_only_one(store)
    assert file.read() == b"content"
    file.accept()
    assert store.inbox == {}
    assert store.folders["processed"] == {"october.bai": b"content", "october.bai.done": b""}


def test_the_same_name_twice_gets_the_moment_before_its_ending(store):
    for content in (b"first", b"second"):
        store.put("october.bai", content)
        store.tick(QUIET_SECONDS * 2)
        the_only_one(store).accept()
    kept = store.folders["processed"]
    assert kept.pop("october.bai") == b"first"
    ((name, content),) = kept.items()
    assert content == b"second"
    assert name.startswith("october.2027")
    assert name.endswith("Z.bai")


def test_a_name_of_full_length_is_shortened_rather_than_refused(store):
    name = "ö" * 125 + ".bai"
    assert len(name.encode()) == 254
    for content in (b"first", b"second"):
        store.put(name, content)
        store.tick(QUIET_SECONDS * 2)
        the_only_one(store).refuse("no")
    assert len(store.folders["failed"]) == 4
    assert all(len(kept.encode()) <= 255 for kept in store.folders["failed"])


def test_a_refused_file_has_the_reason_beside_it(store):
    store.put("october.bai", b"bad")
    store.tick(QUIET_SECONDS * 2)
    the_only_one(store).refuse("Line 3 has no amount.")
    assert store.folders["failed"] == {
        "october.bai": b"bad",
        "october.bai.reason.txt": b"Line 3 has no amount.\n",
    }


def test_a_reason_never_lands_beside_another_file(store):
    store.folders["failed"]["october.bai"] = b"old, and somebody took its reason away"
    store.put("october.bai", b"bad")
    store.tick(QUIET_SECONDS * 2)
    the_only_one(store).refuse("No.")
    assert "october.bai.reason.txt" not in store.folders["failed"]
    assert len(store.folders["failed"]) == 3


def test_putting_away_again_does_not_touch_what_came_later(store):
    store.put("october.bai", b"first")
    store.tick(QUIET_SECONDS * 2)
    file = the_only_one(store)
    file.accept()
    store.inbox["october.bai"] = file._entry, b"second, and by chance alike in all else"
    file.accept()
    file.refuse("No.")
    assert store.inbox["october.bai"][1].startswith(b"second")


@pytest.mark.parametrize("put_away", ["accept", "refuse"])
def test_a_file_that_was_replaced_meanwhile_stays_for_the_next_look(store, put_away):
    store.put("october.bai", b"first")
    store.tick(QUIET_SECONDS * 2)
    file = the_only_one(store)
    assert file.read() == b"first"
    store.put("october.bai", b"other")
    getattr(file, put_away)(*["No."] if put_away == "refuse" else [])
    assert store.inbox["october.bai"][1] == b"other"
    assert store.folders == {"processed": {}, "failed": {}}


def test_a_file_that_grew_between_look_and_turn_is_left_alone(store):
    for name in ("a", "b"):
        store.put(name, b"x", modified_at=store.clock - 3_600)
    looking = waiting_files(store)
    assert next(looking).name == "a"
    store.append("b", b"y")
    assert list(looking) == []


def test_a_file_that_grows_while_it_is_read_is_not_taken(store):
    store.put("october.bai", b"first")
    store.tick(QUIET_SECONDS * 2)
    file = the_only_one(store)
    store.append("october.bai", b"more")
    with pytest.raises(AggregatorError, match="FILE_CHANGING") as refused:
        file.read()
    assert not refused.value.permanent


def test_a_file_of_the_limit_is_read_and_one_byte_more_asks_to_be_refused(store, monkeypatch):
    monkeypatch.setattr(limits, "UPLOAD_BYTES_MAX", 10)
    store.put("fits", b"0123456789", modified_at=1)
    store.put("huge", b"0123456789A", modified_at=2)
    fits, huge = waiting_files(store)
    assert fits.read() == b"0123456789"
    with pytest.raises(AggregatorError, match="FILE_TOO_LARGE") as refused:
        huge.read()
    assert refused.value.permanent
    huge.refuse(refused.value.sentence)
    assert "huge" in store.folders["failed"]


def test_a_crash_before_the_file_is_moved_brings_it_again(store):
    store.put("october.bai", b"content")
    store.put("october.bai.done", b"")
    store.tick(QUIET_SECONDS * 2)
    assert the_only_one(store).read() == b"content"  # imported
    store.move("october.bai.done", "processed", "october.bai.done")  # and then the power went
    the_only_one(store).accept()
    assert store.inbox == {}


def test_names_are_shown_without_control_characters_and_halves(store):
    store.put("a\nb\udcff.csv", b"x", modified_at=1)
    assert names(store) == ["a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}.csv"]
