"""Settings: read once, and refused where production would be unsafe."""

import pytest
from cryptography.fernet import Fernet

from app.config import Environment, Settings, SettingsInvalid
from app.connectors import registry

SAFE = {
    "TIEOUT_ENV": "production",
    "DATABASE_URL": "postgresql://tieout@db/tieout",
    "REDIS_URL": "redis://queue:6379/0",
    "SECRET_KEY": "k3Yw9-vT2pQ7_xR5mN8sL1dF6hJ4gB0zc",
    "CREDENTIAL_KEYS": Fernet.generate_key().decode(),
    "PUBLIC_URL": "https://books.example",
}


def test_development_needs_no_setting(tmp_path):
    settings = Settings.from_environment({"INSTANCE_PATH": str(tmp_path)})
    assert settings.environment is Environment.DEVELOPMENT
    assert settings.database_url == f"sqlite:///{tmp_path}/tieout.sqlite3"
    assert not settings.is_production


def test_a_safe_production_starts_and_the_driver_is_ours():
    settings = Settings.from_environment(SAFE)
    assert settings.is_production
    assert settings.database_url == "postgresql+psycopg://tieout@db/tieout"


@pytest.mark.parametrize("name", sorted(SAFE.keys() - {"TIEOUT_ENV"}))
def test_production_has_no_defaults(name):
    with pytest.raises(SettingsInvalid, match=f"{name} is not set"):
        Settings.from_environment({k: v for k, v in SAFE.items() if k != name})


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("SECRET_KEY", "short", "too weak"),
        ("SECRET_KEY", "a" * 64, "too weak"),
        ("CREDENTIAL_KEYS", "not-a-fernet-key", "not a Fernet key"),
        ("PUBLIC_URL", "http://books.example", "https://"),
        ("DATABASE_URL", "sqlite:////data/tieout.sqlite3", "PostgreSQL"),
        ("TIEOUT_ENV", "staging", "must be one of"),
        ("TRUSTED_PROXIES", "many", "whole number"),
        ("CONNECTORS", "folder,ftp", "there are: folder"),
        ("OUTBOUND_NETWORKS", "10.0.0.1/8", "host bits"),
    ],
)
def test_an_unsafe_setting_stops_the_start_and_is_named(name, value, reason):
    with pytest.raises(SettingsInvalid, match=reason) as refused:
        Settings.from_environment({**SAFE, name: value})
    assert str(refused.value).startswith(name)


def test_the_embedded_redis_is_refused_in_production(tmp_path):
    embedded = {"INSTANCE_PATH": str(tmp_path), "REDIS_URL": f"unix://{tmp_path}/redis/redis.sock"}
    with pytest.raises(SettingsInvalid, match="not the embedded one"):
        Settings.from_environment({**SAFE, **embedded})


def test_an_env_file_and_the_kept_secrets_fill_what_is_not_set(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text(
        "LOG_LEVEL=debug\nOPERATOR_EMAILS=Ann@Acme.example, bob@b.example\n"
    )
    (tmp_path / "instance").mkdir()
    (tmp_path / "instance" / "secrets.env").write_text("SECRET_KEY=kept\n")
    for name in ("SECRET_KEY", "LOG_LEVEL", "INSTANCE_PATH", "TIEOUT_ENV"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPERATOR_EMAILS", "")
    settings = Settings.from_environment()
    assert settings.secret_key == "kept"
    assert settings.log_level == "DEBUG"
    assert settings.operator_emails == ("ann@acme.example", "bob@b.example")


def test_development_calls_this_machine_and_production_no_private_address():
    development = Settings.from_environment({}).connectors
    assert development.outbound.permit("127.0.0.1")
    assert not development.outbound.permit("10.0.0.1")
    production = Settings.from_environment(SAFE).connectors
    assert not production.outbound.permit("127.0.0.1")
    opened = Settings.from_environment({**SAFE, "OUTBOUND_NETWORKS": "10.2.0.0/16, fd00::/8"})
    assert opened.connectors.outbound.permit("10.2.3.4")
    assert not opened.connectors.outbound.permit("10.3.0.1")


def test_figures_are_read_on_this_machine_in_development_and_in_production_only_as_set():
    assert len(Settings.from_environment({}).metrics_networks) == 2
    assert Settings.from_environment(SAFE).metrics_networks == ()
    opened = Settings.from_environment({**SAFE, "METRICS_NETWORKS": "10.2.0.0/16"})
    assert str(opened.metrics_networks[0]) == "10.2.0.0/16"
    with pytest.raises(SettingsInvalid, match="METRICS_NETWORKS: "):
        Settings.from_environment({**SAFE, "METRICS_NETWORKS": "10.2.0.1/16"})
    with pytest.raises(SettingsInvalid, match="METRICS_TOKEN is too weak"):
        Settings.from_environment({**SAFE, "METRICS_TOKEN": "short"})


def test_all_connectors_are_offered_unless_the_operator_chooses(tmp_path):
    everything = Settings.from_environment({"INSTANCE_PATH": str(tmp_path)}).connectors
    assert everything.offered == registry.NAMES
    assert everything.inbox_path == tmp_path / "inbox"
    chosen = {"CONNECTORS": "folder", "INBOX_PATH": str(tmp_path / "bank")}
    assert Settings.from_environment(chosen).connectors.offered == ("folder",)
    assert Settings.from_environment(chosen).connectors.inbox_path == tmp_path / "bank"


PLAID = {
    "PLAID_HOST": "https://plaid.example/",
    "PLAID_CLIENT_ID": "client",
    "PLAID_SECRET": "canary",
}


def test_without_plaid_there_is_no_plaid(tmp_path):
    settings = Settings.from_environment({"INSTANCE_PATH": str(tmp_path)})
    assert settings.plaid is None
    assert settings.webhook_urls == {}


def test_plaid_needs_its_three_settings_and_reports_to_the_public_address():
    settings = Settings.from_environment({**SAFE, **PLAID})
    assert settings.plaid is not None
    assert settings.plaid.host == "https://plaid.example"
    assert "canary" not in repr(settings)
    assert settings.webhook_urls == {"plaid": "https://books.example/webhooks/plaid"}


@pytest.mark.parametrize("name", sorted(PLAID))
def test_a_part_of_plaid_is_refused(name):
    some = {key: value for key, value in PLAID.items() if key != name}
    with pytest.raises(SettingsInvalid, match=f"{name} is not set"):
        Settings.from_environment({**SAFE, **some})


def test_a_stand_in_on_this_machine_needs_its_address_alone():
    settings = Settings.from_environment({"PLAID_HOST": "http://127.0.0.1:4010"})
    assert settings.plaid is not None
    with pytest.raises(SettingsInvalid, match="PLAID_CLIENT_ID is not set"):
        Settings.from_environment({"PLAID_HOST": "https://sandbox.plaid.example"})


def test_plaid_may_report_to_another_address():
    elsewhere = {"PLAID_WEBHOOK_URL": "https://tunnel.example/hook"}
    settings = Settings.from_environment({**SAFE, **PLAID, **elsewhere})
    assert settings.webhook_urls == {"plaid": "https://tunnel.example/hook"}


@pytest.mark.parametrize(
    ("host", "public_url", "reached"),
    [
        ("http://127.0.0.1:5010", "http://127.0.0.1:5000", True),
        ("http://localhost:5010", "http://[::1]:5000", True),
        ("https://plaid.example", "http://127.0.0.1:5000", False),
        ("https://plaid.example", "https://localhost", False),
        ("http://127.0.0.1:5010", "http://office.example", False),
        ("https://plaid.example", "", False),
        ("https://plaid.example", "http://[", False),
    ],
)
def test_who_cannot_reach_us_is_not_told_where(tmp_path, host, public_url, reached):
    given = {**PLAID, "PLAID_HOST": host, "PUBLIC_URL": public_url, "INSTANCE_PATH": str(tmp_path)}
    assert bool(Settings.from_environment(given).webhook_urls) is reached


@pytest.mark.parametrize("name", ["PLAID_HOST", "PLAID_WEBHOOK_URL"])
@pytest.mark.parametrize(
    "url",
    [
        "http://plaid.example",
        "http://10.0.0.1",
        "http://127.0.0.1.example",
        "ftp://plaid.example",
        "plaid.example",
        "https://",
        "https://user:word@plaid.example",
        "https://plaid.example?x=1",
        "https://plaid.example#x",
        "https://plaid.example:99999",
        "https://[",
    ],
)
def test_an_address_outside_is_https(tmp_path, name, url):
    given = {**PLAID, name: url, "INSTANCE_PATH": str(tmp_path)}
    with pytest.raises(SettingsInvalid, match=f"^{name} must"):
        Settings.from_environment(given)


@pytest.mark.parametrize("url", ["http://127.0.0.1:5010", "http://[::1]:5010", "http://localhost"])
def test_plain_http_stays_on_this_machine_and_out_of_production(tmp_path, url):
    given = {**PLAID, "PLAID_HOST": url, "INSTANCE_PATH": str(tmp_path)}
    settings = Settings.from_environment(given)
    assert settings.plaid is not None
    assert settings.plaid.host == url
    with pytest.raises(SettingsInvalid, match="PLAID_HOST must begin with https"):
        Settings.from_environment({**SAFE, **given})


MX = {
    "MX_HOST": "https://int-api.mx.com/",
    "MX_CLIENT_ID": "client",
    "MX_API_KEY": "key-that-nobody-may-see",
    "MX_WEBHOOK_PASSWORD": "password-that-nobody-may-see",
}


def test_mx_is_there_only_when_it_is_set_up():
    assert Settings.from_environment(SAFE).mx is None
    mx = Settings.from_environment({**SAFE, **MX}).mx
    assert mx is not None
    assert mx.host == "https://int-api.mx.com"
    assert "nobody-may-see" not in repr(mx)


@pytest.mark.parametrize("name", sorted(MX))
def test_half_of_mxs_settings_stop_the_start_and_name_the_missing_one(name):
    with pytest.raises(SettingsInvalid, match=f"{name} is not set"):
        Settings.from_environment({**SAFE, **{k: v for k, v in MX.items() if k != name}})


def test_mx_in_production_is_reached_by_https():
    with pytest.raises(SettingsInvalid, match="MX_HOST must begin with https"):
        Settings.from_environment({**SAFE, **MX, "MX_HOST": "http://127.0.0.1:9000"})
