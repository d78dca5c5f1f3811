"""The jobs that read members' banks: refused, let in, under way, ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox import banking, faults, items, operations
from sandbox.faults import Fault
from sandbox.items import Stage
from sandbox.mx import announcements, members

if TYPE_CHECKING:
    import sqlite3

    from sandbox.mx.members import Member
    from sandbox.world import World


def refuse(world: World, db: sqlite3.Connection, member: Member, status: str) -> Member:
    """Let a try at the bank fail, or end in a question to the person."""
    member = members.change(db, member, aggregated_at=world.now(), job_ends_at=None)
    operations.fail(world, db, items.find(db, member.guid), status)
    return member


def let_in(world: World, db: sqlite3.Connection, member: Member, status: str) -> Member:
    """Let the bank accept the login; a job reads it, and `status` is shown meanwhile."""
    item = items.find(db, member.guid)
    items.change(db, item, error_code="", error_reason="", error_since=None)
    member = members.change(db, member, status=status, denials_count=0, job_ends_at=None)
    return start(world, db, member)


def start(world: World, db: sqlite3.Connection, member: Member) -> Member:
    """Read the bank, unless that is being done; where MX is not let in, in vain."""
    if member.is_being_aggregated:
        return member
    now = world.now()
    slow = faults.active(db, member.guid).get(Fault.SLOW_AGGREGATION)
    ends_at = now + (float(slow.value) if slow else world.settings.pace_seconds)
    status = "DELAYED" if slow else member.status
    if slow:
        faults.use_up(db, slow)
    member = members.change(db, member, aggregated_at=now, job_ends_at=ends_at, status=status)
    announcements.tell_member(db, member, "updated", now=now)
    world.wake.set()
    return settle(world, db, member)


def settle(world: World, db: sqlite3.Connection, member: Member) -> Member:
    """End the member's job if its time has come: with what the bank has, or with nothing."""
    ends_at = member.job_ends_at
    if ends_at is None or ends_at > world.now():
        return member
    item = items.find(db, member.guid)
    if item.error_code:
        return members.change(db, member, job_ends_at=None)
    before = item.head
    if item.stage is Stage.HISTORICAL:
        item = operations.refresh(world, db, item)
    while item.stage is not Stage.HISTORICAL:
        item = banking.advance_stage(db, item)
    member = members.change(
        db, member, status="CONNECTED", successfully_aggregated_at=ends_at, job_ends_at=None
    )
    count = item.head - before
    announcements.tell_member(db, member, "updated", now=ends_at)
    announcements.tell_aggregated(db, member, now=ends_at, changes_count=count, is_background=False)
    world.wake.set()
    return members.change(db, member, callback="")


def settle_due(world: World) -> None:
    """End the jobs whose time has come: what the sandbox's background does for MX."""
    now = world.now()
    with world.store.reading() as db:
        due = db.execute("SELECT guid FROM mx_member WHERE job_ends_at <= ?", (now,)).fetchall()
    for row in due:
        with world.store.writing() as db:
            member = members.find(db, row["guid"])
            assert member is not None
            settle(world, db, member)


def delete(world: World, db: sqlite3.Connection, member: Member) -> None:
    """End the login; nothing of it can be read any more."""
    member = members.change(db, member, is_deleted=1, job_ends_at=None)
    announcements.tell_member(db, member, "deleted", now=world.now())
    operations.remove(db, items.find(db, member.guid))
    world.wake.set()
