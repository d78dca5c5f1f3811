"""Settings: read once, and refused where production would be unsafe."""

import pytest
from cryptography.fernet import Fernet

from app.config import Environment, Settings, SettingsInvalid

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
