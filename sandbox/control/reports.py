"""What the control API and its page show of items, faults and webhooks."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sandbox import faults, items, webhooks
from sandbox.control.commands import ACTION_TEXTS, find
from sandbox.plaid import WIRE as PLAID
from sandbox.plaid.errors import ERRORS

if TYPE_CHECKING:
    from sandbox.faults import ActiveFault
    from sandbox.items import Account, Item
    from sandbox.webhooks import Delivery
    from sandbox.world import World

SHOWN_WEBHOOKS_MAX = 40


@dataclass(frozen=True, slots=True)
class ItemReport:
    item: Item
    accounts: list[Account]
    faults: list[ActiveFault]
    webhooks: list[Delivery]

    def body(self) -> dict[str, Any]:
        """Return the report as JSON has it."""
        item = asdict(self.item)
        return {
            **item,
            "institution_name": self.item.bank.name,
            "accounts": [
                {
                    "account_id": account.account_id,
                    "key": account.key,
                    "mask": account.plan.mask,
                    "is_shared": bool(account.is_shared),
                }
                for account in self.accounts
            ],
            "faults": [asdict(fault) for fault in self.faults],
            "webhooks": [asdict(delivery) for delivery in self.webhooks],
        }


def item_report(world: World, item_name: str) -> ItemReport:
    with world.store.reading() as db:
        item = find(db, item_name)
        return ItemReport(
            item,
            items.accounts_of(db, item),
            list(faults.active(db, item.item_id).values()),
            webhooks.deliveries(db, item.item_id)[:SHOWN_WEBHOOKS_MAX],
        )


def all_items(world: World) -> list[Item]:
    """Return every item, the newest first."""
    with world.store.reading() as db:
        return list(reversed(items.everything(db)))


def faults_everywhere(world: World) -> list[ActiveFault]:
    with world.store.reading() as db:
        return list(faults.active(db, faults.EVERYWHERE).values())


def all_webhooks(world: World) -> list[Delivery]:
    with world.store.reading() as db:
        return webhooks.deliveries(db)


def codes_for(world: World, item: Item) -> list[str]:
    """Return the states and errors that the item's wire format knows."""
    return sorted(ERRORS if item.wire == PLAID else world.states[item.wire])


def menu() -> dict[str, Any]:
    """Return the whole fault menu: names, what they do, what their values mean."""
    return {
        "faults": [asdict(entry) for entry in faults.MENU],
        "error_codes": sorted(ERRORS),
        "actions": {str(action): text for action, text in ACTION_TEXTS.items()},
    }
