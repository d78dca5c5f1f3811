"""The watched folder: only below the inbox, only this organization's, only real files."""

import os
import stat
import time

import pytest

from app.aggregators.contract import Access, AggregatorError
from app.connectors.contract import FileConnector, OperatorSettings, SettingsRefused
from app.connectors.folder import FolderConnector, LocalFolder
from app.kernel import limits
from app.kernel.bank import ConnectionStatus

ACME = "0" * 31 + "a"
OTHER = "0" * 31 + "b"


@pytest.fixture
def connector(tmp_path):
    return FolderConnector(OperatorSettings(inbox_path=tmp_path / "inbox"))


@pytest.fixture
def access(connector):
    return connector.connect({"folder": "operating"}, ACME)


@pytest.fixture
def folder(connector, access, tmp_path):
    return tmp_path / "inbox" / ACME / "operating"


@pytest.fixture(autouse=True)
def later(monkeypatch):
    """An hour has passed since the files were put there."""
    monkeypatch.setattr(LocalFolder, "now", lambda _store: time.time() + 3_600)


def names_in(folder):
    return {path.name for path in folder.iterdir()}


def waiting(connector, access):
    return {file.name: file for file in connector.waiting_files(access)}


def test_connecting_makes_the_folder_and_where_files_go(connector, access, folder):
    assert isinstance(connector, FileConnector)
    assert access == Access(f"{ACME}/operating", {})
    assert names_in(folder) == {"failed", "processed"}
    assert stat.S_IMODE(folder.stat().st_mode) & 0o007 == 0  # bank data are not for everybody
    assert waiting(connector, access) == {}


def test_connecting_again_finds_the_same_folder_with_what_is_in_it(connector, access, folder):
    (folder / "october.bai").write_bytes(b"01,")
    assert connector.connect({"folder": " operating "}, ACME) == access
    assert list(waiting(connector, access)) == ["october.bai"]


@pytest.mark.parametrize(
    "name", ["", "..", ".", "a/b", "../other", "/etc", "a\\b", ".hidden", "a\0b", "a\nb", "x" * 61]
)
def test_a_name_that_is_more_than_a_name_is_refused(connector, tmp_path, name):
    with pytest.raises(SettingsRefused) as refused:
        connector.connect({"folder": name}, ACME)
    assert list(refused.value.fields) == ["folder"]
    assert not (tmp_path / "inbox").exists()


def test_nothing_is_made_outside_when_a_folder_is_a_link(connector, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "inbox" / ACME).mkdir(parents=True)
    (tmp_path / "inbox" / ACME / "operating").symlink_to(outside)
    with pytest.raises(AggregatorError) as refused:
        connector.connect({"folder": "operating"}, ACME)
    assert refused.value.permanent
    assert list(outside.iterdir()) == []


def test_an_organization_whose_folder_is_a_link_to_another_reaches_nothing(
    connector, access, folder, tmp_path
):
    (folder / "october.bai").write_bytes(b"01,")
    (tmp_path / "inbox" / OTHER).symlink_to(tmp_path / "inbox" / ACME)
    with pytest.raises(AggregatorError):
        connector.connect({"folder": "operating"}, OTHER)
    with pytest.raises(AggregatorError, match="FOLDER_MISSING"):
        waiting(connector, Access(f"{OTHER}/operating", {}))


def test_each_organization_sees_its_own_files_alone(connector, access, folder):
    theirs = connector.connect({"folder": "operating"}, OTHER)
    (folder / "october.bai").write_bytes(b"01,")
    assert waiting(connector, theirs) == {}


def test_links_folders_pipes_and_sockets_are_not_files(connector, access, folder, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_bytes(b"another organization's")
    (folder / "link.csv").symlink_to(secret)
    (folder / "dangling.csv").symlink_to(tmp_path / "nowhere")
    (folder / "older").mkdir()
    (folder / "older" / "inside.csv").write_bytes(b"x")
    os.mkfifo(folder / "pipe.csv")
    (folder / "october.bai").write_bytes(b"01,")
    found = waiting(connector, access)
    assert list(found) == ["october.bai"]
    found["october.bai"].accept()
    assert {"link.csv", "dangling.csv", "older", "pipe.csv"} <= names_in(folder)


@pytest.mark.parametrize("make", ["link", "pipe"])
def test_a_file_that_turns_into_something_else_is_not_followed(
    connector, access, folder, tmp_path, make
):
    path = folder / "october.bai"
    path.write_bytes(b"01,")
    file = waiting(connector, access)["october.bai"]
    path.unlink()
    if make == "link":
        (tmp_path / "secret").write_bytes(b"another organization's")
        path.symlink_to(tmp_path / "secret")
    else:
        os.mkfifo(path)
    with pytest.raises(AggregatorError) as refused:
        file.read()
    assert not refused.value.permanent
    file.accept()
    assert list((folder / "processed").iterdir()) == []


@pytest.mark.parametrize("name", ["processed", "failed"])
def test_a_link_in_place_of_a_sub_folder_takes_nothing_out(
    connector, access, folder, tmp_path, name
):
    (folder / "october.bai").write_bytes(b"01,")
    (folder / name).rmdir()
    (folder / name).symlink_to(tmp_path)
    file = waiting(connector, access)["october.bai"]
    with pytest.raises(AggregatorError, match="FILE_NOT_MOVED"):
        file.accept() if name == "processed" else file.refuse("No.")
    assert (folder / "october.bai").read_bytes() == b"01,"
    assert not (tmp_path / "october.bai").exists()


def test_one_bad_file_does_not_stop_the_rest(connector, access, folder, monkeypatch):
    monkeypatch.setattr(limits, "UPLOAD_BYTES_MAX", 100)
    (folder / "1-huge.csv").write_bytes(b"x" * 101)
    (folder / "2-empty.csv").write_bytes(b"")
    (folder / "3-bad.csv").write_bytes(b"\xff\xfe\x00")
    (folder / "4-good.csv").write_bytes(b"date,amount")
    os.mkfifo(folder / "5-pipe.csv")
    read = {}
    for file in connector.waiting_files(access):
        try:
            read[file.name] = file.read()
            file.accept()
        except AggregatorError as trouble:
            file.refuse(trouble.sentence)
    assert list(read) == ["2-empty.csv", "3-bad.csv", "4-good.csv"]
    assert names_in(folder / "failed") == {"1-huge.csv", "1-huge.csv.reason.txt"}
    assert "larger than" in (folder / "failed" / "1-huge.csv.reason.txt").read_text()


def test_a_file_without_permission_stays_and_says_so(connector, access, folder, monkeypatch):
    (folder / "october.bai").write_bytes(b"01,")
    file = waiting(connector, access)["october.bai"]
    opened = os.open

    def refuse(path, *args, **kwargs):
        if path == "october.bai":
            raise PermissionError(13, "Permission denied")
        return opened(path, *args, **kwargs)

    monkeypatch.setattr(os, "open", refuse)  # whoever runs as root may read everything
    with pytest.raises(AggregatorError, match="permission denied") as refused:
        file.read()
    assert not refused.value.permanent
    assert (folder / "october.bai").exists()


def test_moving_never_replaces_a_file_even_one_that_came_in_this_moment(access, folder):
    store = LocalFolder(folder, ())
    (folder / "october.bai").write_bytes(b"new")
    (folder / "processed" / "october.bai").write_bytes(b"old")
    with pytest.raises(FileExistsError):
        store.move("october.bai", "processed", "october.bai")
    assert (folder / "october.bai").read_bytes() == b"new"
    assert (folder / "processed" / "october.bai").read_bytes() == b"old"


def test_moving_what_is_gone_leaves_no_empty_file(access, folder):
    with pytest.raises(FileNotFoundError):
        LocalFolder(folder, ()).move("gone.bai", "processed", "gone.bai")
    assert list((folder / "processed").iterdir()) == []


def test_names_that_are_no_unicode_are_moved_all_the_same(connector, access, folder):
    name = os.fsdecode(b"caf\xe9.csv")
    (folder / name).write_bytes(b"date,amount")
    (found,) = connector.waiting_files(access)
    found.name.encode()  # can be stored
    assert found.read() == b"date,amount"
    found.accept()
    assert names_in(folder / "processed") == {name}


def test_a_folder_that_is_gone_degrades_the_connection(connector, access, folder):
    for path in (folder / "processed", folder / "failed", folder):
        path.rmdir()
    with pytest.raises(AggregatorError, match="FOLDER_MISSING") as refused:
        waiting(connector, access)
    assert refused.value.health.status is ConnectionStatus.DEGRADED
    assert not folder.exists()


def test_a_real_file_that_was_just_written_may_still_grow(connector, access, folder, monkeypatch):
    monkeypatch.setattr(LocalFolder, "now", lambda _store: time.time())
    (folder / "october.bai").write_bytes(b"01,")
    os.utime(folder / "october.bai", (0, 0))  # a time that a copying program sets proves nothing
    assert waiting(connector, access) == {}
    (folder / "october.bai.done").touch()
    assert list(waiting(connector, access)) == ["october.bai"]


def test_reading_never_follows_a_link(folder, tmp_path):
    (tmp_path / "secret").write_bytes(b"another organization's")
    (folder / "link.csv").symlink_to(tmp_path / "secret")
    with pytest.raises(OSError, match="symbolic link"):
        LocalFolder(folder, ()).read("link.csv", 100)
