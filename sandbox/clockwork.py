"""The sandbox's background: stages of new items, days that pass, webhooks on their way."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from sandbox import items, operations, webhooks
from sandbox.items import Stage

if TYPE_CHECKING:
    from sandbox.world import World

TICK_SECONDS: Final = 0.1
CATCH_UP_SECONDS: Final = 30.0
SENDERS_COUNT: Final = 4


class Clockwork:
    """One thread that looks what is due, and a few that send webhooks; `stop` ends them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._is_over = threading.Event()
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
        next_catch_up = time.monotonic()
        while not self._is_over.is_set():
            self._world.wake.clear()
            step_stages(self._world)
            for tick in self._world.ticks:
                tick(self._world)
            if time.monotonic() >= next_catch_up:
                catch_up_all(self._world)
                next_catch_up = time.monotonic() + CATCH_UP_SECONDS
            self._send_due()
            self._world.wake.wait(TICK_SECONDS)

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
        known = [item for item in items.everything(db) if not item.is_removed]
    for item in known:
        with world.store.writing() as db:
            operations.catch_up(world, db, items.find(db, item.item_id))
