"""A worker that dies anywhere, a run that is taken over, two files at once."""

import threading
from collections import Counter
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.connections.uploads import confirm_upload, store_upload
from app.jobs import runs
from app.kernel.clock import utc_now
from app.models import FinancialTransaction, JobRun, Upload, db
from app.models.session import unit_of_work
from app.tenancy.scope import get_owned, organization_scope
from tests.bank_files import csv_file, many_lines, october
from tests.bank_world import add_account, import_now, stored_lines
from tests.dying import perform_and_die_at
from workers.jobs import perform

LINES = many_lines(120)


def count_stored(account_id):
    db.session.rollback()
    counted = sa.select(sa.func.count(FinancialTransaction.id)).where(
        FinancialTransaction.financial_account_id == account_id
    )
    return db.session.scalar(counted)


def let_the_lease_run_out(run_id):
    with unit_of_work():
        past = utc_now() - timedelta(seconds=1)
        db.session.execute(
            sa.update(JobRun)
            .where(JobRun.id == run_id, JobRun.lease_until.is_not(None))
            .values(lease_until=past)
        )


def test_a_worker_killed_at_any_statement_leaves_nothing_or_all_and_the_next_one_finishes(cast):
    statement_number, killed = 1, True
    while killed:
        account_id = add_account(cast.alice)
        upload_id = store_upload(cast.alice, account_id, "a.csv", csv_file(LINES)).upload_id
        run_id = confirm_upload(cast.alice, upload_id)
        killed = perform_and_die_at(run_id, statement_number)
        imported = get_owned(Upload, upload_id).state == "imported"
        assert count_stored(account_id) == (len(LINES) if imported else 0), statement_number
        assert killed or imported
        let_the_lease_run_out(run_id)
        perform(run_id)
        assert count_stored(account_id) == len(LINES), statement_number
        assert get_owned(JobRun, run_id).status == "succeeded"
        assert get_owned(Upload, upload_id).state == "imported"
        statement_number += 1
    assert statement_number > 15  # it did die in many places


def test_a_worker_whose_run_was_taken_over_writes_nothing(cast, monkeypatch):
    account_id = add_account(cast.alice)
    upload_id = store_upload(cast.alice, account_id, "a.csv", csv_file(LINES)).upload_id
    run_id = confirm_upload(cast.alice, upload_id)
    succeed = runs.succeed

    def taken_over(held, text):
        db.session.execute(sa.update(JobRun).values(fence=JobRun.fence + 1))
        succeed(held, text)

    monkeypatch.setattr(runs, "succeed", taken_over)
    perform(run_id)
    assert count_stored(account_id) == 0
    monkeypatch.setattr(runs, "succeed", succeed)
    let_the_lease_run_out(run_id)
    perform(run_id)
    assert count_stored(account_id) == len(LINES)


def test_renewing_a_run_that_has_just_ended_is_no_lost_lease(cast):
    account_id = add_account(cast.alice)
    upload_id = store_upload(cast.alice, account_id, "a.csv", csv_file(LINES)).upload_id
    run_id = confirm_upload(cast.alice, upload_id)
    held = runs.claim(run_id)
    with unit_of_work():
        runs.succeed(held, "Done")
    assert runs.renew(held)
    with unit_of_work():
        db.session.execute(sa.update(JobRun).values(fence=JobRun.fence + 1))
    assert not runs.renew(held)


@pytest.mark.parametrize("round_number", range(3))
def test_overlapping_files_at_once_add_nothing_twice(app, cast, round_number):
    account_id = add_account(cast.alice)
    lines = [october(1 + at // 40, f"LINE {at % 25}", -100) for at in range(400)]
    files = [lines[:280], lines[120:], lines]
    outcomes, errors = [], []
    start = threading.Barrier(len(files))

    def upload(part):
        with app.app_context(), organization_scope(cast.acme_id):
            start.wait()
            try:
                outcomes.append(import_now(cast.alice, account_id, csv_file(part)))
            except Exception as error:  # noqa: BLE001 - reported below, in the test's thread
                errors.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=upload, args=(part,)) for part in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert sum(outcome.new_count for outcome in outcomes) == len(lines)
    stored = Counter((day, text) for day, text, _, _ in stored_lines(account_id))
    assert stored == Counter((line.day, line.text) for line in lines)
