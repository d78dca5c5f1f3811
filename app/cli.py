"""The commands of `flask --app wsgi`: answers on standard output, refusals on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import click
import sqlalchemy as sa
from flask import Flask

from app.audit import trail
from app.kernel.errors import Refusal
from app.models import Organization, db
from app.people.organizations import create_organization
from app.tenancy.scope import organization_scope

EXIT_REFUSED = 2


def register_commands(app: Flask) -> None:
    for command in (create_organization_command, verify_audit_command):
        app.cli.add_command(command)


def _refuse(sentence: str) -> NoReturn:
    print(sentence, file=sys.stderr)
    sys.exit(EXIT_REFUSED)


@contextmanager
def _refusals_in_one_line() -> Iterator[None]:
    try:
        yield
    except Refusal as refusal:
        _refuse(refusal.detail)


@click.command("create-organization")
@click.argument("name")
@click.option("--admin-email", required=True)
@click.option("--admin-password", required=True)
@click.option("--time-zone", default="UTC", show_default=True)
def create_organization_command(
    name: str, admin_email: str, admin_password: str, time_zone: str
) -> None:
    """Create an organization and its first admin; print their ids as JSON."""
    with _refusals_in_one_line():
        created = create_organization(
            name, admin_email=admin_email, admin_password=admin_password, time_zone=time_zone
        )
    answer = {"organization_id": created.organization_id, "user_id": created.user_id}
    print(json.dumps(answer))


@click.command("verify-audit")
@click.argument("organization_id", required=False)
def verify_audit_command(organization_id: str | None) -> None:
    """Recompute the audit chain of one organization, or of all; exit 2 if one is broken."""
    ids = [organization_id] if organization_id else db.session.scalars(sa.select(Organization.id))
    broken = False
    for each in list(ids):
        with organization_scope(each):
            outcome = trail.verify()
        broken |= not outcome.intact
        state = "intact" if outcome.intact else f"broken at event {outcome.first_broken_sequence}"
        print(f"{each}: {outcome.events_count} events, {state}")
    if broken:
        sys.exit(EXIT_REFUSED)
