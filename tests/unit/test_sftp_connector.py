"""Bank files from an SFTP server: the right server, the right folder, the same care."""

import io
import os
import time
from ipaddress import ip_network

import paramiko
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given
from hypothesis import strategies as st

from app.aggregators.contract import AggregatorError
from app.connectors.contract import FileConnector, OperatorSettings, SettingsRefused
from app.connectors.sftp import folder as sftp_folder
from app.connectors.sftp import session as sftp_session
from app.connectors.sftp.connector import SftpConnector
from app.connectors.sftp.session import open_folder
from app.connectors.sftp.target import SftpTarget
from app.kernel import limits
from app.kernel.bank import ConnectionStatus
from app.kernel.outbound import OutboundRules
from tests.http_servers import raw_server
from tests.sftp_server import PASSWORD, sftp_server

LOOPBACK = OutboundRules((ip_network("127.0.0.0/8"),))
ACME = "0" * 32
OLD = time.time() - 7_200


def new_ed25519(passphrase=b""):
    encryption = (
        serialization.BestAvailableEncryption(passphrase)
        if passphrase
        else serialization.NoEncryption()
    )
    return (
        ed25519.Ed25519PrivateKey.generate()
        .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, encryption)
        .decode()
    )


def key_of(text):
    return paramiko.Ed25519Key.from_private_key(io.StringIO(text))


def text_of(key):
    file = io.StringIO()
    key.write_private_key(file)
    return file.getvalue()


@pytest.fixture(scope="module")
def host_keys():
    return [key_of(new_ed25519()), paramiko.RSAKey.generate(2048), paramiko.ECDSAKey.generate()]


@pytest.fixture
def server(tmp_path, host_keys):
    (tmp_path / "outgoing").mkdir()
    with sftp_server(tmp_path, list(host_keys)) as running:
        yield running


@pytest.fixture
def folder(server):
    return server.root / "outgoing"


@pytest.fixture
def connector(tmp_path):
    return SftpConnector(OperatorSettings(tmp_path, LOOPBACK))


def settings(server, **changes):
    return {
        "host": "127.0.0.1",
        "port": str(server.port),
        "user": "acme",
        "directory": "/outgoing",
        "host_key": server.fingerprint(),
        "password": PASSWORD,
    } | changes


@pytest.fixture
def access(connector, server):
    return connector.connect(settings(server), ACME)


def put(folder, name, content, *, modified_at=OLD):
    (folder / name).write_bytes(content)
    os.utime(folder / name, (modified_at, modified_at))


def names_in(folder):
    return {path.name for path in folder.iterdir()} - {".clock"}


def refused_field(connector, wanted):
    with pytest.raises(SettingsRefused) as refused:
        connector.connect(wanted, ACME)
    ((name, message),) = refused.value.fields.items()
    assert PASSWORD not in message
    return name, message


def test_connecting_makes_the_two_folders_and_seals_what_opens_the_server(
    connector, server, access, folder
):
    assert isinstance(connector, FileConnector)
    assert names_in(folder) == {"processed", "failed"}
    assert access.external_id == f"acme@127.0.0.1:{server.port}//outgoing"
    assert PASSWORD not in access.external_id + repr(access)
    assert access.secrets["password"] == PASSWORD
    assert list(connector.waiting_files(access)) == []


def test_files_are_read_oldest_first_and_moved(connector, access, folder):
    for age, name in enumerate(["today.csv", "yesterday.csv"]):
        put(folder, name, name.encode() * 20_000, modified_at=OLD - age)
    read = []
    for file in connector.waiting_files(access):
        read.append((file.name, file.read()))
        file.accept()
    assert read == [(name, name.encode() * 20_000) for name in ("yesterday.csv", "today.csv")]
    assert names_in(folder) == {"processed", "failed"}
    assert names_in(folder / "processed") == {"today.csv", "yesterday.csv"}


def test_refused_files_have_their_reason_beside_them(connector, access, folder):
    put(folder, "october.bai", b"bad")
    for file in connector.waiting_files(access):
        file.refuse("Line 3 has no amount.")
    assert (folder / "failed" / "october.bai.reason.txt").read_text() == "Line 3 has no amount.\n"
    assert (folder / "failed" / "october.bai").read_bytes() == b"bad"


@pytest.mark.parametrize("renames_replace", [True, False])
def test_a_name_that_is_taken_is_not_replaced(connector, server, access, folder, renames_replace):
    server.renames_replace = renames_replace
    for content in (b"first", b"second"):
        put(folder, "october.bai", content)
        for file in connector.waiting_files(access):
            file.accept()
    kept = sorted(path.read_bytes() for path in (folder / "processed").glob("october*"))
    assert kept == [b"first", b"second"]


def test_growing_unfinished_linked_and_nested_things_are_left_alone(connector, access, folder):
    put(folder, "growing.csv", b"x", modified_at=time.time())
    put(folder, "unfinished.csv.part", b"x")
    put(folder, "done.csv", b"x", modified_at=time.time())
    put(folder, "done.csv.done", b"", modified_at=time.time() + 1)
    (folder / "link.csv").symlink_to(folder / "done.csv")
    (folder / "older").mkdir()
    os.mkfifo(folder / "pipe.csv")
    assert [file.name for file in connector.waiting_files(access)] == ["done.csv"]


@pytest.mark.parametrize("ahead_seconds", [-7_200, -90, 90, 7_200])
def test_a_server_whose_clock_is_wrong_is_asked_for_its_own_time(
    connector, server, access, folder, ahead_seconds
):
    server.clock_ahead_seconds = ahead_seconds
    put(folder, "growing.csv", b"x", modified_at=time.time() - 5)
    put(folder, "quiet.csv", b"x", modified_at=time.time() - 120)
    assert [file.name for file in connector.waiting_files(access)] == ["quiet.csv"]


def test_an_empty_folder_is_only_looked_at(connector, server, access):
    server.calls.clear()
    assert list(connector.waiting_files(access)) == []
    assert not {"open", "mkdir", "rename"} & set(server.calls)


def test_a_name_that_is_not_utf_8_stops_no_other(connector, server, access, folder, monkeypatch):
    server.raw_names = True
    monkeypatch.setattr(
        paramiko.message.Message, "get_text", lambda self: os.fsdecode(self.get_string())
    )
    put(folder, os.fsdecode(b"caf\xe9.csv"), b"x", modified_at=OLD - 1)
    put(folder, "plain.csv", b"y")
    for file in connector.waiting_files(access):
        file.name.encode()
        file.accept()
    assert names_in(folder / "processed") == {os.fsdecode(b"caf\xe9.csv"), "plain.csv"}


def test_a_huge_file_is_not_even_fetched(connector, server, access, folder, monkeypatch):
    monkeypatch.setattr(limits, "UPLOAD_BYTES_MAX", 1_000)
    put(folder, "huge.csv", b"x" * 1_001)
    (file,) = connector.waiting_files(access)
    server.calls.clear()
    with pytest.raises(AggregatorError, match="FILE_TOO_LARGE"):
        file.read()
    assert server.calls == []


def test_a_transfer_that_lasts_too_long_is_given_up(connector, access, folder, monkeypatch):
    put(folder, "slow.csv", b"x" * 100_000)
    looking = connector.waiting_files(access)
    file = next(looking)
    monkeypatch.setattr(sftp_folder, "TRANSFER_SECONDS_MAX", -1)
    with pytest.raises(AggregatorError, match="too slow") as refused:
        file.read()
    assert not refused.value.permanent
    assert "slow.csv" in names_in(folder)


def test_a_list_without_an_end_is_given_up(connector, access, folder, monkeypatch):
    monkeypatch.setattr(sftp_folder, "LISTED_MAX", 3)
    for number in range(4):
        put(folder, f"{number}.csv", b"x")
    with pytest.raises(AggregatorError, match="no end"):
        list(connector.waiting_files(access))


def test_a_file_is_not_touched_after_the_session(connector, access, folder):
    put(folder, "october.bai", b"x")
    (file,) = list(connector.waiting_files(access))
    with pytest.raises(AggregatorError) as refused:
        file.accept()
    assert not refused.value.permanent
    assert "october.bai" in names_in(folder)


# who is called


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_the_fingerprint_of_any_of_the_servers_keys_will_do(connector, server, kind):
    given = f"256 {server.fingerprint(kind)} sftp.bank.example ({kind.upper()})"
    connector.connect(settings(server, host_key=given), ACME)


def test_a_server_with_a_single_key_is_called_once(connector, server):
    server.host_keys[:] = [key for key in server.host_keys if "rsa" in key.get_name()]
    connector.connect(settings(server), ACME)
    assert server.connections == 1


def test_a_stranger_gets_neither_password_nor_user(connector, server, host_keys):
    stranger = paramiko.ECDSAKey.generate().fingerprint
    name, message = refused_field(connector, settings(server, host_key=stranger))
    assert name == "host_key"
    assert server.fingerprint("ed25519") in message
    assert server.calls == []


def test_a_host_key_that_changes_later_asks_for_a_person(connector, server, access):
    server.host_keys[:] = [paramiko.ECDSAKey.generate()]
    with pytest.raises(AggregatorError, match="HOST_KEY_CHANGED") as refused:
        list(connector.waiting_files(access))
    assert refused.value.permanent
    assert refused.value.health.status is ConnectionStatus.RECONNECT_REQUIRED


def test_private_addresses_are_refused_unless_the_operator_allows_them(server, tmp_path):
    public_only = SftpConnector(OperatorSettings(tmp_path))
    for host in ("127.0.0.1", "localhost"):
        name, message = refused_field(public_only, settings(server, host=host))
        assert (name, "private network" in message) == ("host", True)
    assert server.connections == 0


# how we get in


@pytest.mark.parametrize("wants", [("publickey",), ("publickey", "password")])
def test_a_private_key_opens_the_server_alone_or_before_the_password(connector, server, wants):
    text = new_ed25519()
    server.user_key, server.wants = key_of(text), wants
    given = settings(server, private_key=text)
    if "password" not in wants:
        given["password"] = ""
    access = connector.connect(given, ACME)
    assert list(connector.waiting_files(access)) == []


@pytest.mark.parametrize("make", [paramiko.RSAKey.generate, paramiko.ECDSAKey.generate])
def test_keys_of_other_kinds_do_too(connector, server, make):
    server.user_key = make(2048) if make == paramiko.RSAKey.generate else make()
    server.wants = ("publickey",)
    connector.connect(settings(server, private_key=text_of(server.user_key)), ACME)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"password": "wrong"}, "password"),
        ({"user": "other"}, "password"),
        ({"private_key": "new"}, "private_key"),
        ({"directory": "/nowhere"}, "directory"),
        ({"directory": "/outgoing/file"}, "directory"),
    ],
)
def test_what_the_server_refuses_is_said_at_its_field(connector, server, folder, changes, field):
    put(folder, "file", b"")
    if "private_key" in changes:
        server.wants = ("publickey",)
        changes = {"private_key": new_ed25519()}
    assert refused_field(connector, settings(server, **changes))[0] == field


def test_a_password_that_stops_working_asks_for_a_person(connector, server, access):
    server.wants = ("publickey",)
    with pytest.raises(AggregatorError, match="CREDENTIALS_REFUSED") as refused:
        list(connector.waiting_files(access))
    assert refused.value.health.status is ConnectionStatus.RECONNECT_REQUIRED


def test_a_folder_in_which_nothing_may_be_moved_is_refused_at_the_start(connector, server):
    server.read_only = True
    name, message = refused_field(connector, settings(server))
    assert (name, "may not make" in message) == ("directory", True)


def test_a_folder_that_is_gone_degrades(connector, access, folder):
    for path in (folder / "processed" / ".clock", folder / "processed", folder / "failed", folder):
        path.unlink() if path.is_file() else path.rmdir()
    with pytest.raises(AggregatorError, match="FOLDER_MISSING") as refused:
        list(connector.waiting_files(access))
    assert refused.value.health.status is ConnectionStatus.DEGRADED


def test_moving_where_nothing_may_be_written_leaves_the_file(connector, server, access, folder):
    put(folder, "october.bai", b"x")
    looking = connector.waiting_files(access)
    file = next(looking)
    server.read_only = True
    with pytest.raises(AggregatorError, match="FILE_NOT_MOVED"):
        file.accept()
    assert "october.bai" in names_in(folder)


@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-x\r\n" + b"\xff" * 4_000]
)
def test_what_is_no_sftp_server_is_no_answer(connector, server, monkeypatch, said):
    monkeypatch.setattr(sftp_session, "HANDSHAKE_SECONDS", 2)

    def talk(caller):
        caller.sendall(said)
        caller.recv(100)

    with raw_server(talk) as port, pytest.raises(AggregatorError) as refused:
        connector.connect(settings(server, port=str(port)), ACME)
    assert (refused.value.code, refused.value.permanent) == ("SFTP_UNREACHABLE", False)


def test_a_session_ends_after_its_time_whatever_happens_in_it(server, folder, monkeypatch):
    monkeypatch.setattr(sftp_session, "SESSION_SECONDS_MAX", 0.2)
    target = SftpTarget.from_settings(settings(server))
    with open_folder(target, LOOPBACK) as store:
        time.sleep(0.5)
        with pytest.raises(OSError, match=r"broke off|refused"):
            list(store.files())


# what can be seen without calling


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"host": ""}, "host"),
        ({"host": "sftp://bank.com"}, "host"),
        ({"host": "bank.com/x"}, "host"),
        ({"port": "0"}, "port"),
        ({"port": "65536"}, "port"),
        ({"port": "²²"}, "port"),
        ({"port": "ssh"}, "port"),
        ({"user": ""}, "user"),
        ({"user": "a b"}, "user"),
        ({"directory": "/a\nb"}, "directory"),
        ({"directory": "/" + "x" * 200}, "directory"),
        ({"host_key": ""}, "host_key"),
        ({"host_key": "MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48"}, "host_key"),
        ({"host_key": "SHA256:short"}, "host_key"),
        ({"password": ""}, "password"),
        ({"private_key": "-----BEGIN nonsense"}, "private_key"),
        ({"private_key": new_ed25519(b"secret")}, "private_key"),
    ],
)
def test_settings_that_cannot_be_right_call_nobody(connector, server, changes, field):
    assert refused_field(connector, settings(server, **changes))[0] == field
    assert server.connections == 0


@given(
    st.builds(
        SftpTarget,
        host=st.from_regex(r"[a-z0-9.-]{1,40}", fullmatch=True),
        port=st.integers(1, 65_535),
        user=st.from_regex(r"[!-~]{1,30}", fullmatch=True),
        directory=st.from_regex(r"(/[A-Za-z0-9 ]{1,10}[a-z]){0,4}", fullmatch=True),
        host_keys=st.lists(
            st.from_regex(r"SHA256:[A-Za-z0-9+/]{43}", fullmatch=True), min_size=1, max_size=3
        ).map(tuple),
        password=st.from_regex(r"[!-~]{1,30}", fullmatch=True),
        private_key=st.just(""),
    )
)
def test_what_is_sealed_is_read_back_as_it_was(target):
    assert SftpTarget.from_settings(target.to_secrets()) == target
