from __future__ import annotations

from cryptography.fernet import Fernet

from ops.environment import with_development_secrets, with_dotenv


def test_the_environment_wins_over_the_dotenv_file(tmp_path):
    dotenv = tmp_path / ".env"
    dotenv.write_text("PORT=5001\nREDIS_URL=redis://elsewhere\nPUBLIC_URL=\n")
    complete = with_dotenv({"PORT": "5002", "REDIS_URL": ""}, dotenv)
    assert complete == {"PORT": "5002", "REDIS_URL": ""}


def test_a_missing_dotenv_file_changes_nothing(tmp_path):
    assert with_dotenv({"PORT": "5002"}, tmp_path / ".env") == {"PORT": "5002"}


def test_secrets_are_made_once_kept_private_and_used_again(tmp_path):
    first = with_development_secrets({}, tmp_path)
    assert with_development_secrets({}, tmp_path) == first
    assert (tmp_path / "secrets.env").stat().st_mode & 0o777 == 0o600
    assert len(first["SECRET_KEY"]) >= 32
    Fernet(first["CREDENTIAL_KEYS"])


def test_a_given_secret_wins_and_an_empty_one_does_not(tmp_path):
    kept = with_development_secrets({}, tmp_path)
    complete = with_development_secrets({"SECRET_KEY": "given", "CREDENTIAL_KEYS": ""}, tmp_path)
    assert complete == {"SECRET_KEY": "given", "CREDENTIAL_KEYS": kept["CREDENTIAL_KEYS"]}
    assert "given" not in (tmp_path / "secrets.env").read_text()
