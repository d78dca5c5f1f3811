from __future__ import annotations

import os
from pathlib import Path

import pytest

from ops import browser
from ops.failures import StartFailed


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """A PATH of our own; returns a function that puts a shell script on it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(browser, "MAC_APPLICATIONS", ())
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    def add(name, script="#!/bin/sh\n"):
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
        return tmp_path / name

    return add


@pytest.mark.parametrize("name", browser.NAMES)
def test_each_of_the_browsers_names_is_found(tools, name):
    assert browser.find() is None
    assert tools(name) == browser.find()


def test_a_missing_browser_is_installed_by_the_package_manager(tools, tmp_path, capfd):
    tools("apt-get", f"#!/bin/sh\ncase $1 in install) /bin/cp $0 {tmp_path}/chromium;; esac\n")
    (tmp_path / "env").symlink_to("/usr/bin/env")
    assert browser.install() == tmp_path / "chromium"
    assert "Installing the test browser: apt-get update\n" in capfd.readouterr().out


def test_without_root_the_installation_asks_by_sudo(tools, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    tools("dnf")
    with pytest.raises(StartFailed, match="run “sudo dnf install --assumeyes chromium” as root"):
        browser.install()


def test_a_failing_package_manager_is_named_with_its_status(tools):
    tools("dnf", "#!/bin/sh\nexit 7\n")
    with pytest.raises(StartFailed, match="ended with status 7"):
        browser.install()


def test_a_system_without_a_known_package_manager_gets_one_sentence(tools, monkeypatch, capsys):
    assert browser.main() == 1
    assert capsys.readouterr().err.startswith("The browser tests need Chromium: install it")


def test_the_installed_browser_is_told(tools, capsys):
    path = tools("chromium")
    assert browser.main() == 0
    assert capsys.readouterr().out == f"Browser for the tests: {Path(path)}\n"
