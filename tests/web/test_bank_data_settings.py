"""Settings → Bank data: how often it is fetched."""

from __future__ import annotations

import pytest

from tests.books import nothing_changes
from tests.conftest import sign_in
from tests.html import checked

URL = "/settings/bank-data/"


@pytest.fixture
def carol(app, cast):
    """Carol's browser: a controller with the permission `bank_connections`."""
    return sign_in(app, cast.carol)


@pytest.fixture
def viv(app, cast):
    return sign_in(app, cast.viv)


def post(client, url, status=303, headers=None, **data):
    answer = client.post(url, data=data, headers=headers)
    assert answer.status_code == status, answer.text
    return answer


def test_whoever_may_change_settings_says_how_often(carol, viv):
    assert post(carol, URL, sync_interval_hours="12").location == URL
    root = checked(viv.get(URL).text)
    field = root.find(".//input[@id='sync_interval_hours']")
    assert (field.get("value"), field.get("readonly") is not None) == ("12", True)
    post(viv, URL, 403, sync_interval_hours="3")


@pytest.mark.parametrize("hours", ["0", "169", "-1", "6.5", "often", ""])
def test_other_hours_are_refused_beside_the_field(carol, hours):
    with nothing_changes():
        root = checked(post(carol, URL, 422, sync_interval_hours=hours).text)
    assert root.find(".//*[@id='sync_interval_hours-error']") is not None
