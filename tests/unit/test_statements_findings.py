from __future__ import annotations

from app.kernel.limits import FINDINGS_MAX
from app.statements.findings import FindingLog, Level


def test_errors_come_first_and_both_levels_share_the_limit():
    found = FindingLog()
    for line in range(FINDINGS_MAX, 0, -1):
        found.warning("w", "A warning.", line=line)
        found.error("e", "An error.", line=line)
    listed = found.listed()
    assert len(listed) == FINDINGS_MAX + 1
    assert {one.code for one in listed[:-1]} == {"e"}
    assert [one.line for one in listed[:2]] == [1, 2]
    assert (listed[-1].code, listed[-1].level) == ("more_findings", Level.WARNING)
    assert listed[-1].message.startswith(f"{FINDINGS_MAX} more")


def test_hidden_errors_make_the_last_finding_an_error():
    found = FindingLog()
    for _ in range(FINDINGS_MAX + 1):
        found.error("e", "An error.")
    assert found.listed()[-1].level is Level.ERROR


def test_up_to_the_limit_nothing_is_added():
    found = FindingLog()
    for _ in range(FINDINGS_MAX):
        found.warning("w", "A warning.")
    assert len(found.listed()) == FINDINGS_MAX
