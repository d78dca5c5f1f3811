"""Institutions, and the keys that webhooks are verified with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marshmallow import validate

from sandbox import banks, keys
from sandbox.plaid import render
from sandbox.plaid.calls import Call, endpoint
from sandbox.plaid.errors import PlaidRefusal
from sandbox.plaid.fields import Part, PlaidBody, anything, flag, part, required_text, texts

if TYPE_CHECKING:
    from sandbox.banks import Institution

SOME = validate.Length(min=1, error="must not be empty")


class SearchOptions(Part):
    oauth = flag()
    include_optional_metadata = flag()
    include_auth_metadata = flag()
    include_payment_initiation_metadata = flag()
    payment_initiation = anything()


class SearchBody(PlaidBody):
    query = required_text()
    country_codes = texts(required=True, validate=SOME)
    products = texts()
    options = part(SearchOptions)


class GetOptions(Part):
    include_optional_metadata = flag()
    include_status = flag()
    include_auth_metadata = flag()
    include_payment_initiation_metadata = flag()


class GetBody(PlaidBody):
    institution_id = required_text()
    country_codes = texts(required=True, validate=SOME)
    options = part(GetOptions)


class KeyBody(PlaidBody):
    key_id = required_text()


@endpoint("/institutions/search", SearchBody)
def search(call: Call) -> dict[str, Any]:
    wanted = set(call.body.get("products") or ())
    oauth = (call.body.get("options") or {}).get("oauth")
    found = [
        body
        for bank in banks.search(call.body["query"], frozenset(call.body["country_codes"]))
        if wanted <= set((body := render.institution_body(bank))["products"])
        and oauth in {None, bank.is_oauth}
    ]
    return {"institutions": found}


@endpoint("/institutions/get_by_id", GetBody)
def get_by_id(call: Call) -> dict[str, Any]:
    return {"institution": render.institution_body(known_bank(call.body["institution_id"]))}


def known_bank(institution_id: str) -> Institution:
    """Return the bank.

    Raises:
        PlaidRefusal: INVALID_INSTITUTION.
    """
    bank = banks.INSTITUTIONS.get(institution_id)
    if bank is None:
        raise PlaidRefusal("INVALID_INSTITUTION")
    return bank


@endpoint("/webhook_verification_key/get", KeyBody)
def verification_key(call: Call) -> dict[str, Any]:
    with call.world.store.reading() as db:
        key = keys.find_key(db, call.body["key_id"])
    if key is None:
        raise PlaidRefusal("INVALID_WEBHOOK_VERIFICATION_KEY_ID")
    x, y = key.coordinates()
    return {
        "key": {
            "alg": "ES256",
            "crv": "P-256",
            "kid": key.key_id,
            "kty": "EC",
            "use": "sig",
            "x": x,
            "y": y,
            "created_at": int(key.created_at),
            "expired_at": None if key.expired_at is None else int(key.expired_at),
        }
    }
