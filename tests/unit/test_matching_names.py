from __future__ import annotations

import numpy as np
import pytest

from app.matching.names import NameIndex
from app.matching.normalize import descriptor


def compared(ours, theirs):
    index = NameIndex([descriptor(ours)], [descriptor(theirs)], [1], [1])
    rows = np.zeros(1, np.int64)
    found = index.similarity(rows, rows)
    return float(found.coverage[0]), float(found.information[0]), bool(found.absent[0])


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("ZENITH OPTICAL", "Zenith Optical Inc."),
        ("ZENITH OPTICA", "Zenith Optical"),
        ("ZENITHOPTICAL", "Zenith Optical"),
        ("ZENITHOPTI", "Zenith Optical"),
        ("ZNTH OPTICAL", "Zenith Optical"),
        ("ZENITH OPTICEL", "Zenith Optical"),
        ("NRCC", "National Republican Congressional Committee"),
        ("NATIONAL REPUBLICAN CONGRESSIONAL COMMITTEE", "NRCC"),
        ("AMZN MKTP US", "Amazon Marketplace"),
        ("ZENITH OPTICAL ATLANTA GA", "Zenith Optical"),
    ],
)
def test_other_ways_to_write_a_name_agree(ours, theirs):
    coverage, information, absent = compared(ours, theirs)
    assert coverage > 0.6
    assert information > 3
    assert not absent


def test_a_shared_trade_does_not_make_two_names_one():
    same, _, _ = compared("HOLLOWAY ROOFING", "Holloway Roofing LLC")
    other, _, _ = compared("HOLLOWAY ROOFING", "Lockhart Roofing LLC")
    assert other < same - 0.3


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("NATIONAL DENTAL ACTION", "National Marketing Action Committee"),
        ("BANCROFT FOR CONGRESS", "Bancroft & Lindqvist"),
    ],
)
def test_a_shared_first_word_is_not_a_name_run_together(ours, theirs):
    assert compared(ours, theirs)[0] < 0.7


@pytest.mark.parametrize(
    ("ours", "theirs"), [("CHECK 1043", "Acme"), ("ACME", ""), ("ACME", "Monthly rent")]
)
def test_a_side_without_a_name_says_nothing(ours, theirs):
    assert compared(ours, theirs)[2]


def test_rare_names_say_more_than_common_ones():
    texts = [descriptor(f"Common Rare{chr(65 + n)}{chr(65 + n)}") for n in range(20)]
    common = [*texts, descriptor("Common"), descriptor("Unusual")]
    counts = [5] * len(common)
    index = NameIndex(common, common, counts, counts)
    rows = np.array([20, 21], np.int64)
    information = index.similarity(rows, rows).information
    assert information[1] > information[0] + 1
