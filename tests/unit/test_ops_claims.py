from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from ops import claims
from ops.failures import StartFailed
from tests.launched import free_port

HOLDER = """
import pathlib, sys, time
from ops import claims
claims.claim_folder(pathlib.Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


def test_a_folder_can_be_claimed_once_at_a_time(tmp_path):
    command = (sys.executable, "-c", HOLDER, tmp_path)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StartFailed, match=rf"already runs in .* \(process {holder.pid}\)"):
            claims.claim_folder(tmp_path)
        holder.kill()
    os.close(claims.claim_folder(tmp_path))


def test_the_lock_names_the_process_that_holds_it(tmp_path):
    (tmp_path / "run.lock").write_text("4194305")
    descriptor = claims.claim_folder(tmp_path)
    assert (tmp_path / "run.lock").read_text() == str(os.getpid())
    os.close(descriptor)


def test_a_free_port_is_not_refused_and_a_taken_one_is():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port := free_port()))
        taken.listen()
        with pytest.raises(StartFailed, match=f"Port {port} on 127.0.0.1 cannot be used"):
            claims.refuse_taken_port("127.0.0.1", port)
    claims.refuse_taken_port("127.0.0.1", port)
