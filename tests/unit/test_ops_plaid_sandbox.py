from __future__ import annotations

import socket

from cryptography.fernet import Fernet

from app.config import Settings
from ops import launch, plaid_sandbox


def test_port_and_keys_are_chosen_once_and_kept_private(tmp_path):
    folder = tmp_path / "sandbox"
    first = plaid_sandbox.prepare(folder)
    assert plaid_sandbox.prepare(folder) == first
    assert (folder / "sandbox.env").stat().st_mode & 0o777 == 0o600
    assert len(first.secret) == 32
    assert first.secret != first.client_id


def test_a_port_that_was_taken_meanwhile_is_changed_and_the_keys_are_not(tmp_path):
    first = plaid_sandbox.prepare(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first.port))
        taken.listen()
        second = plaid_sandbox.prepare(tmp_path)
    assert second.port != first.port
    assert (second.client_id, second.secret) == (first.client_id, first.secret)
    assert plaid_sandbox.prepare(tmp_path) == second


def test_the_programs_are_told_where_it_is(tmp_path):
    sandbox = plaid_sandbox.prepare(tmp_path)
    assert sandbox.environment(app_port=5001) == {
        "SANDBOX_FOLDER": str(tmp_path),
        "PLAID_HOST": f"http://127.0.0.1:{sandbox.port}",
        "PLAID_CLIENT_ID": sandbox.client_id,
        "PLAID_SECRET": sandbox.secret,
        "PLAID_WEBHOOK_URL": "http://127.0.0.1:5001/webhooks/plaid",
    }


def test_its_other_half_speaks_as_mx(tmp_path):
    instance = prepared(tmp_path, PORT="5001")
    settings = Settings.from_environment(instance.environment)
    assert settings.mx is not None
    assert settings.mx.host == f"{instance.sandbox.url}/mx"
    webhook_url = instance.environment["MX_WEBHOOK_URL"]
    assert webhook_url.endswith("@127.0.0.1:5001/webhooks/mx")
    assert f":{settings.mx.webhook_password}@" in webhook_url


def test_who_has_an_mx_of_his_own_keeps_it(tmp_path):
    own = {
        "MX_HOST": "https://int-api.mx.com",
        "MX_CLIENT_ID": "mine",
        "MX_API_KEY": "mine",
        "MX_WEBHOOK_PASSWORD": "mine",
    }
    instance = prepared(tmp_path, **own)
    assert instance.sandbox is not None
    assert {name: instance.environment[name] for name in own} == own
    assert "MX_WEBHOOK_URL" not in instance.environment


def test_who_names_an_aggregator_gets_no_sandbox():
    assert plaid_sandbox.is_wanted({})
    assert plaid_sandbox.is_wanted({"PLAID_HOST": ""})
    assert not plaid_sandbox.is_wanted({"PLAID_HOST": "https://production.plaid.com"})


def prepared(tmp_path, **given):
    environment = {"INSTANCE_PATH": str(tmp_path), "REDIS_URL": "redis://elsewhere", **given}
    return launch.prepare(Settings.from_environment(environment), environment)


def test_development_starts_it_and_tells_every_program(tmp_path):
    instance = prepared(tmp_path, PORT="5001")
    assert instance.sandbox is not None
    assert instance.environment["PLAID_HOST"] == instance.sandbox.url
    assert instance.environment["PLAID_WEBHOOK_URL"] == "http://127.0.0.1:5001/webhooks/plaid"


def test_another_aggregator_keeps_it_from_starting(tmp_path):
    keys = {"PLAID_CLIENT_ID": "mine", "PLAID_SECRET": "mine"}
    instance = prepared(tmp_path, PLAID_HOST="https://sandbox.plaid.com", **keys)
    assert instance.sandbox is None
    assert instance.environment["PLAID_SECRET"] == "mine"
    assert not (tmp_path / "sandbox").exists()


def test_production_never_starts_it(tmp_path):
    instance = prepared(
        tmp_path,
        TIEOUT_ENV="production",
        DATABASE_URL="postgresql://elsewhere",
        SECRET_KEY="0123456789abcdef0123456789abcdef",
        CREDENTIAL_KEYS=Fernet.generate_key().decode(),
        PUBLIC_URL="https://tieout.example",
    )
    assert instance.sandbox is None
    assert "PLAID_HOST" not in instance.environment
