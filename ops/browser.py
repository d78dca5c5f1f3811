"""The browser that the tests drive: the system's Chromium, installed if it is missing.

`python -m ops.browser` makes sure that there is one and says what it does.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from ops.failures import StartFailed

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC_APPLICATIONS: Final = (
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
)
INSTALL_COMMANDS: Final = {
    "apt-get": (
        ("apt-get", "update"),
        (
            *("env", "DEBIAN_FRONTEND=noninteractive"),
            *("apt-get", "install", "--yes", "--no-install-recommends", "chromium"),
        ),
    ),
    "dnf": (("dnf", "install", "--assumeyes", "chromium"),),
}
"""By package manager, in the order in which they are looked for."""


def find() -> Path | None:
    """Return the browser's executable, or None when the system has none."""
    on_path = (shutil.which(name) for name in NAMES)
    candidates = [*(Path(found) for found in on_path if found), *MAC_APPLICATIONS]
    return next((path for path in candidates if os.access(path, os.X_OK)), None)


def install() -> Path:
    """Install Chromium with the system's package manager and return its executable.

    Raises:
        StartFailed: There is no package manager that could, or it failed.
    """
    manager = next((name for name in INSTALL_COMMANDS if shutil.which(name)), None)
    if manager is None:
        raise StartFailed(
            "The browser tests need Chromium: install it (macOS: brew install --cask chromium), "
            "then run make test again."
        )
    for command in INSTALL_COMMANDS[manager]:
        _run_as_root(command)
    found = find()
    if found is None:
        raise StartFailed(
            f"{manager} installed no Chromium: install one, then run make test again."
        )
    return found


def _run_as_root(command: tuple[str, ...]) -> None:
    complete = command if os.geteuid() == 0 else ("sudo", *command)
    printed = " ".join(complete)
    print(f"Installing the test browser: {printed}", flush=True)
    try:
        status = subprocess.run(complete, stdout=subprocess.DEVNULL, check=False).returncode
    except FileNotFoundError:
        raise StartFailed(
            f"The browser tests need Chromium, and only root may install it: run “{printed}” "
            "as root, then make test again."
        ) from None
    if status != 0:
        raise StartFailed(f"“{printed}” ended with status {status}; its own lines above say why.")


def main() -> int:
    try:
        print(f"Browser for the tests: {find() or install()}")
    except StartFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
