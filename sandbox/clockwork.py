"""The sandbox's background: stages of new items, days that pass, webhooks on their way."""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from sandbox import items, operations, webhooks
from sandbox.hosted import flow
from sandbox.items import Stage

if TYPE_CHECKING:
    from sandbox.world import World

TICK_SECONDS: Final = 0.1
ROUND_SECONDS: Final = 5.0
"""Between two looks at what has time: new days, sessions that nobody goes on with."""
SENDERS_COUNT: Final = 4

logger = logging.getLogger(__name__)


class Clockwork:
    """One thread that looks what is due, and a few that send webhooks; `stop` ends them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._is_over = threading.Event()
        self._next_round = 0.0
        self._senders = ThreadPoolExecutor(SENDERS_COUNT, "webhook")
        self._thread = threading.Thread(target=self._run, name="clockwork", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._is_over.set()
        self._world.wake.set()
        self._thread.join()
        self._senders.shutdown()

    def _run(self) -> None:
        while not self._is_over.is_set():
            self._world.wake.clear()
            try:
                self._tick()
            except Exception:  # the banks must go on, and the log says what stopped them
                logger.exception("The sandbox's background failed once and goes on.")
            self._world.wake.wait(TICK_SECONDS)

    def _tick(self) -> None:
        step_stages(self._world)
        for tick in self._world.ticks:
            tick(self._world)
        self._send_due()
        if time.monotonic() >= self._next_round:
            self._next_round = time.monotonic() + ROUND_SECONDS
            flow.end_abandoned(self._world)
            catch_up_all(self._world)

    def _send_due(self) -> None:
        now = self._world.now()
        with self._world.store.reading() as db:
            due = db.execute("SELECT 1 FROM delivery WHERE due_at <= ? LIMIT 1", (now,)).fetchone()
        if due is None:  # the write lock is for those who have something to write
            return
        with self._world.store.writing() as db:
            claimed = webhooks.claim_due(db, now=now)
        for delivery, key in claimed:
            self._senders.submit(
                webhooks.send,
                self._world.store,
                delivery,
                key,
                now=now,
                retry_seconds=self._world.settings.retry_seconds,
            )


def step_stages(world: World) -> None:
    """Bring every item whose next stage is due one stage further."""
    now = world.now()
    with world.store.reading() as db:
        due = db.execute(
            "SELECT item_id FROM item WHERE stage_due_at <= ? AND NOT is_removed", (now,)
        ).fetchall()
    for row in due:
        with world.store.writing() as db:
            item = items.find(db, row["item_id"])
            if item.stage_due_at is not None and item.stage is not Stage.HISTORICAL:
                operations.step_stage(world, db, item)


def catch_up_all(world: World) -> None:
    """Let the banks of all items tell the days that have passed."""
    with world.store.reading() as db:
        due = [item for item in items.everything(db) if operations.is_due(world, item)]
    for item in due:
        with world.store.writing() as db:
            operations.catch_up(world, db, items.find(db, item.item_id))
