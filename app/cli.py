"""The commands of `flask --app wsgi`: answers on standard output, refusals on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import click
import sqlalchemy as sa
from flask import Flask, current_app

from app.audit import trail
from app.connections.rotation import rotate_credentials
from app.demo import load_demo
from app.instance.backup import back_up
from app.instance.restore import restore
from app.kernel.errors import Refusal
from app.matching import MatchOptions, Tier
from app.matching.files import FileRefused, match_files
from app.models import Organization, db
from app.people.api_keys import create_api_key_by_command
from app.people.organizations import create_organization
from app.people.second_factor import remove_of_address
from app.statements import CsvMapping, parse_statement, to_document
from app.tenancy.scope import organization_scope
from app.tenancy.vault import VaultClosed

EXIT_REFUSED = 2


def register_commands(app: Flask) -> None:
    for command in (
        backup_command,
        create_api_key_command,
        create_organization_command,
        load_demo_command,
        match_command,
        parse_statement_command,
        remove_second_factor_command,
        restore_command,
        rotate_credentials_command,
        verify_audit_command,
    ):
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


@click.command("create-api-key")
@click.argument("organization_id")
@click.option("--name", required=True)
@click.option("--permission", "permissions", multiple=True, help="May be repeated; none is all.")
def create_api_key_command(organization_id: str, name: str, permissions: tuple[str, ...]) -> None:
    """Create an API key of an organization and print it, the only time, as JSON."""
    with _refusals_in_one_line():
        created = create_api_key_by_command(organization_id, name, permissions)
    print(json.dumps({"id": created.id, "key": created.key}))


@click.command("load-demo")
def load_demo_command() -> None:
    """Load the demo organization, once, and print how to sign in."""
    with _refusals_in_one_line():
        print(load_demo(), end="")


@click.command("match")
@click.argument("bank", type=click.Path(path_type=Path))
@click.argument("ledger", type=click.Path(path_type=Path))
@click.option("--output", required=True, type=click.Path(path_type=Path))
@click.option("--history", type=click.Path(path_type=Path))
@click.option("--auto-threshold", type=float, default=85.0, show_default=True)
@click.option("--review-threshold", type=float, default=50.0, show_default=True)
@click.option("--exhaustive", is_flag=True, help="Score every pairing, without pruning.")
def match_command(
    bank: Path,
    ledger: Path,
    output: Path,
    history: Path | None,
    auto_threshold: float,
    review_threshold: float,
    exhaustive: bool,
) -> None:
    """Match two CSV files without a database and write the pairs."""
    try:
        options = MatchOptions(auto_threshold, review_threshold, exhaustive)
        result = match_files(bank, ledger, output, history_path=history, options=options)
    except (FileRefused, ValueError) as refusal:
        _refuse(str(refusal))
    automatic = sum(pair.tier is Tier.AUTO for pair in result.pairs)
    print(
        f"{automatic} matched, {len(result.pairs) - automatic} suggested; "
        f"{result.pairs_considered} pairings considered, {result.pairs_scored} scored"
    )


@click.command("parse-statement")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--format", "format_", help="Read as this format instead of finding it out.")
@click.option("--mapping", "mapping_path", type=click.Path(path_type=Path))
def parse_statement_command(file: Path, format_: str | None, mapping_path: Path | None) -> None:
    """Read one bank file without a database and print what it holds as JSON."""
    try:
        data = file.read_bytes()
        mapping = _mapping(mapping_path) if mapping_path else None
    except (OSError, ValueError) as error:
        _refuse(f"{error.__class__.__name__}: {error}")
    except Refusal as refusal:
        _refuse(f"{mapping_path}: {refusal.detail}")
    parsed = parse_statement(data, format=format_, mapping=mapping)
    print(json.dumps(to_document(parsed), ensure_ascii=False, indent=2))
    if not parsed.accepted:
        sys.exit(EXIT_REFUSED)


def _mapping(path: Path) -> CsvMapping:
    return CsvMapping.from_json(json.loads(path.read_text(encoding="utf-8")))


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path))
def backup_command(file: Path) -> None:
    """Write the whole embedded instance, while it runs, into one new file."""
    with _refusals_in_one_line():
        written = back_up(current_app.extensions["settings"], file.absolute())
    answer = {
        "file": str(file),
        "bytes": written.bytes_count,
        "files": written.files_count,
        "schema_revision": written.schema_revision,
    }
    print(json.dumps(answer))
    if written.missing_secrets:
        print(
            f"Keep {' and '.join(written.missing_secrets)} beside it: the environment sets them, "
            "so they are not in the file, and without them its bank credentials stay shut.",
            file=sys.stderr,
        )


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Move aside what stands there.")
def restore_command(file: Path, replace: bool) -> None:
    """Put a backup into the instance folder, while nothing runs there."""
    migrations = Path(current_app.extensions["migrate"].directory)
    with _refusals_in_one_line():
        restored = restore(
            current_app.extensions["settings"],
            file.absolute(),
            migrations=migrations,
            replace=replace,
        )
    moved_to = str(restored.moved_to) if restored.moved_to else None
    answer = {
        "created_at": restored.created_at,
        "schema_revision": restored.schema_revision,
        "files": restored.files_count,
        "moved_aside_to": moved_to,
    }
    print(json.dumps(answer))


@click.command("remove-second-factor")
@click.argument("email")
def remove_second_factor_command(email: str) -> None:
    """Remove the second factor of somebody who lost it and whom no admin can help."""
    with _refusals_in_one_line():
        remove_of_address(email)


@click.command("rotate-credentials")
def rotate_credentials_command() -> None:
    """Encrypt stored credentials anew with the newest of CREDENTIAL_KEYS."""
    try:
        rotated = rotate_credentials()
    except VaultClosed as closed:
        _refuse(f"Nothing was changed: {closed}.")
    print(json.dumps({"resealed": rotated.resealed_count, "unreadable": rotated.unreadable_count}))
    if rotated.unreadable_count:
        _refuse(
            f"{rotated.unreadable_count} stored credentials open with none of CREDENTIAL_KEYS and "
            "were left as they are; the others are encrypted with the newest key. Put the lost key "
            "back at the end of CREDENTIAL_KEYS and run this again."
        )


@click.command("verify-audit")
@click.argument("organization_id", required=False)
def verify_audit_command(organization_id: str | None) -> None:
    """Recompute the audit chain of one organization, or of all; exit 2 if one is broken."""
    wanted = sa.select(Organization.id).order_by(Organization.id)
    if organization_id:
        wanted = wanted.where(Organization.id == organization_id)
    ids = db.session.scalars(wanted).all()
    if organization_id and not ids:
        _refuse(f"There is no organization {organization_id}.")
    broken = False
    for each in ids:
        with organization_scope(each):
            outcome = trail.verify()
        broken |= not outcome.intact
        state = "intact" if outcome.intact else f"broken at event {outcome.first_broken_sequence}"
        print(f"{each}: {outcome.events_count} events, {state}")
    if broken:
        sys.exit(EXIT_REFUSED)
