"""Every named limit, in one place."""

from __future__ import annotations

from typing import Final

UPLOAD_BYTES_MAX: Final = 20 * 1024 * 1024
"""A bank or ledger file; a year of a busy account is about a tenth of it."""

FILE_ROWS_MAX: Final = 100_000
"""Rows of one bank or ledger file; one more and the file is refused whole."""

CELL_CHARACTERS_MAX: Final = 4_000
"""Characters kept of one text field of a file."""

FINDINGS_MAX: Final = 100
"""Findings listed for one file; the count of all is always said."""

INGEST_CHUNK_ROWS: Final = 5_000
"""Rows written in one statement, so that a write transaction stays short."""

PAGE_ROWS: Final = 100
"""Rows on one page of a table."""

REPORT_ROWS_MAX: Final = 5_000
"""Rows listed in one report; a longer one says so and is asked for in parts."""

SEARCH_CHARACTERS_MAX: Final = 200

MATCH_ITEMS_MAX: Final = 200
"""Bank lines plus ledger entries that one match may tie together by hand."""

OPEN_ITEMS_PER_SIDE_MAX: Final = 100_000
"""Open items on one side of a matching run."""

RULES_MAX: Final = 200

JOURNAL_LINES_MAX: Final = 200
"""Lines of one journal entry written by hand; files may hold longer ones."""

BOOKING_YEAR_MIN: Final = 1900
BOOKING_YEAR_MAX: Final = 2999
"""A booking date outside is a slip of the pen."""

JOB_LEASE_SECONDS: Final = 6
JOB_RENEW_SECONDS: Final = 2
JOB_ATTEMPTS_MAX: Final = 5
JOBS_RUNG_PER_TICK: Final = 200
JOB_RING_AGAIN_SECONDS: Final = 2
"""A queued job that nobody has claimed for so long is announced to the workers again."""

QUIET_RUNS_KEPT_SECONDS: Final = 24 * 3_600
"""Runs that nobody asked for and that came to nothing are forgotten after a day."""

RUNS_PRUNED_PER_TRANSACTION: Final = 500

SYNC_PAGES_MAX: Final = 2_000
"""Pages of one read of a bank login: a million transactions at 500 a page."""

SYNC_EMPTY_PAGES_MAX: Final = 20
"""Pages in a row without anything new before a provider counts as going in circles."""

SYNC_RESTARTS_MAX: Final = 4
"""How often one sync begins again because the bank's data changed while they were read."""

SYNC_RATE_WAITS_MAX: Final = 6
SYNC_RATE_WAIT_SECONDS_MAX: Final = 30
"""One wait for a provider that asks to be left alone; what is longer ends the sync."""

SPOOL_MEMORY_BYTES: Final = 8 * 1024 * 1024
"""Pages of one read kept in memory; more of them wait in an unnamed file."""

REFRESH_COOLDOWN_SECONDS: Final = 3_600
REFRESH_LOOK_AGAIN_SECONDS: Final = 60
"""After a refresh the provider may need so long to read the bank."""

NOT_READY_LOOK_AGAIN_SECONDS: Final = 20
FAILED_SYNC_WAIT_SECONDS_MIN: Final = 60
RETRY_AFTER_SECONDS_MAX: Final = 24 * 3_600
"""However long a provider asks to be left alone, it is asked again the next day."""

FAILURES_UNTIL_DEGRADED: Final = 3
"""Syncs that a provider leaves unanswered before the page says so."""

FLOW_POLL_SECONDS_MIN: Final = 3
FLOW_POLL_SECONDS_MAX: Final = 60
EXCHANGE_SECONDS_MAX: Final = 90
"""After that an exchange that was begun counts as interrupted."""

FLOW_GRACE_SECONDS: Final = 120
"""A visit that was finished in its last moment is still looked at so long."""

FLOWS_ASKED_FOR_A_TOKEN: Final = 50
"""Other open visits that are asked whether a token that somebody handed in is theirs."""

FOLDER_LOOK_SECONDS: Final = 60
"""Between two looks at a folder of bank files."""

REMOVAL_AGAIN_SECONDS: Final = 60
"""After ending an access has failed for a reason of our own, it is tried again so much later."""

RESEALED_PER_TRANSACTION: Final = 200

SCHEDULED_PER_TICK: Final = 100
WEBHOOK_BYTES_MAX: Final = 256 * 1024
WEBHOOKS_PER_MINUTE: Final = "1200 per minute"
"""From one address; an aggregator sends for all its logins from a few."""

SIGN_IN_PER_MINUTE: Final = "10 per minute"

SECOND_FACTOR_FAILURES_MAX: Final = 5
"""Wrong codes of one person, wherever they come from, until a pause."""

SECOND_FACTOR_PAUSE_SECONDS: Final = 15 * 60
"""With five codes in each, guessing one of a million takes years."""

SECOND_FACTOR_SIGN_IN_SECONDS: Final = 10 * 60
"""Between the right password and the code."""

RECOVERY_CODES: Final = 10

RULE_TEXT_CHARACTERS_MAX: Final = 200
"""Characters of one text in a matching rule's conditions, and of its name."""

RULE_DAYS_APART_MAX: Final = 366

RULE_TEST_LINES_MAX: Final = 5_000
"""Open lines on each side that a rule is tested against before it is saved, newest first."""

EXPRESSION_CHARACTERS_MAX: Final = 200
EXPRESSION_REPEATS_MAX: Final = 1_000
"""Product of all counts in braces: each copy is compiled, so nested counts multiply."""

EXPRESSION_TEXT_CHARACTERS_MAX: Final = 500
"""Characters of a bank description that an expression looks at."""

EXPRESSION_PROBE_SECONDS: Final = 0.25
"""Processor time for all hard texts, when a rule is saved; a harmless one takes a hundredth."""

EXPRESSION_RUN_SECONDS: Final = 2.0
"""Processor time for all bank lines of one run; an expression that needs more matches nothing."""

API_KEYS_MAX: Final = 50
API_KEY_NAME_CHARACTERS_MAX: Final = 80
API_KEY_USE_NOTED_SECONDS: Final = 60
API_CALLS_PER_MINUTE: Final = "600 per minute"
"""Of one API key."""

API_JSON_BYTES_MAX: Final = 8 * 1024 * 1024
API_JSON_DEPTH_MAX: Final = 32
API_ENTRIES_MAX: Final = 5_000
"""Ledger entries in one call."""

API_PAGE_ROWS: Final = 50
API_PAGE_ROWS_MAX: Final = 200
API_EXPORT_CHUNK_ROWS: Final = 1_000

IDEMPOTENCY_KEPT_SECONDS: Final = 24 * 3_600
IDEMPOTENCY_KEY_CHARACTERS_MAX: Final = 255
IDEMPOTENT_CALLS_PRUNED_PER_TRANSACTION: Final = 1_000
