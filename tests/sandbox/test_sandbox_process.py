"""The sandbox as its own process, as `make run` and the application's tests have it."""

from __future__ import annotations

from plaid.model.country_code import CountryCode
from plaid.model.institutions_get_by_id_request import InstitutionsGetByIdRequest


def test_the_official_sdk_finds_it_on_its_own_port(plaid_sandbox):
    with plaid_sandbox.sdk() as api:
        answer = api.institutions_get_by_id(
            InstitutionsGetByIdRequest(
                institution_id="ins_900201", country_codes=[CountryCode("US")]
            )
        )
    assert answer.institution.name == "Puget Harbor Bank"
