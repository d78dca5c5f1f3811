"""The words around the code are held to the code."""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path

import pytest
from flask import Flask

from app.cli import register_commands
from app.config import Settings
from ops import launch

ROOT = Path(__file__).parents[2]
MADE = {ROOT / "instance"}
NOT_OURS = {"__pycache__", "vendor"}
README = (ROOT / "README.md").read_text(encoding="utf-8")
OPERATIONS = (ROOT / "docs/operations.md").read_text(encoding="utf-8")


def our_files() -> list[Path]:
    """Return every file of the tree but those that are made, fetched or hidden."""
    found: list[Path] = []
    for folder, names, files in os.walk(ROOT):
        names[:] = [n for n in names if Path(folder, n) not in MADE and n not in NOT_OURS]
        names[:] = [n for n in names if n == ".ci" or n[0] != "."]
        found += [Path(folder, n) for n in files if n[0] != "." or n.endswith("ignore")]
    return found


def our_texts() -> dict[str, str]:
    """Return the texts of our files by their paths; pictures and the like are left out."""
    texts = {}
    for path in our_files():
        data = path.read_bytes()
        if b"\0" not in data:
            texts[str(path.relative_to(ROOT))] = data.decode("utf-8", errors="replace")
    return texts


DOCUMENTS = sorted(path for path in our_files() if path.suffix == ".md")


def section(document: str, heading: str) -> str:
    """Return what stands under a heading of the second level."""
    return document.split(f"\n## {heading}\n")[1].partition("\n## ")[0]


def first_cells(table: str) -> dict[str, str]:
    """Return each row of the tables by the code in its first cell."""
    return {row[1]: row[0] for row in re.finditer(r"^\| `([^`]+)` \|.*$", table, re.MULTILINE)}


def settings_read() -> set[str]:
    """Return the name of every environment variable that the settings and `ops` ask for."""
    names = set()
    programs = set((ROOT / "ops").glob("*.py")) - {ROOT / "ops/plaid_sandbox.py"}  # its own file
    for path in (ROOT / "app/config.py", *programs):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                names |= set(_asked_names(node))
    return names


def _asked_names(call: ast.Call) -> list[str]:
    texts = [str(each.value) for each in call.args if isinstance(each, ast.Constant)]
    names = [text for text in texts if re.fullmatch(r"[A-Z][A-Z_]+", text)]
    if isinstance(call.func, ast.Name) and call.func.id == "_all_or_none":
        return names
    asks = isinstance(call.func, ast.Attribute) and call.func.attr == "get"
    asks |= isinstance(call.func, ast.Name) and call.func.id in {
        "_whole_number",
        "_outside_url",
        "_networks",
    }
    return names[:1] if asks else []


def commands() -> dict[str, list[str]]:
    """Return the options of each of our flask commands."""
    app = Flask("documents")
    bare = set(app.cli.commands)
    register_commands(app)
    ours = {name: command for name, command in app.cli.commands.items() if name not in bare}
    return {
        name: [option for parameter in command.params for option in parameter.opts]
        for name, command in ours.items()
    }


@pytest.mark.parametrize("document", [README, OPERATIONS], ids=["README", "operations"])
def test_the_settings_table_lists_what_the_program_reads_and_nothing_else(document: str) -> None:
    assert {"DATABASE_URL", "PORT", "TRUSTED_PROXIES"} <= settings_read()
    assert first_cells(section(document, "Settings")).keys() == settings_read()


@pytest.mark.parametrize("document", [README, OPERATIONS], ids=["README", "operations"])
def test_the_settings_table_gives_the_defaults_of_the_program(document: str) -> None:
    rows = first_cells(section(document, "Settings"))
    settings = Settings.from_environment({})
    defaults = {
        "TIEOUT_ENV": settings.environment.value,
        "LOG_LEVEL": settings.log_level,
        "INSTANCE_PATH": settings.instance_path.name,
        "TRUSTED_PROXIES": str(settings.trusted_proxies_count),
        "PORT": launch.PORT_DEFAULT,
        "BIND": launch.HOST_DEFAULT,
    }
    for name, default in defaults.items():
        assert f"| `{name}` | `{default}` |" in rows[name]


def test_every_command_has_its_row_and_every_option_shown_exists() -> None:
    under = section(README, "The command line")
    assert first_cells(under).keys() == commands().keys()
    for name, row in first_cells(under).items():
        assert f"`{name}" in row.split("|")[2]
        assert set(re.findall(r"--[a-z][a-z-]+", row)) <= set(commands()[name])
    options = {option for each in commands().values() for option in each}
    assert set(re.findall(r"--[a-z][a-z-]+", README)) <= options | {"--app"}


def test_every_make_target_that_is_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = {
        name for line in re.findall(r"^([a-z ]+):", makefile, re.MULTILINE) for name in line.split()
    }
    for document in DOCUMENTS:
        named = set(re.findall(r"`make ([a-z]+)", document.read_text(encoding="utf-8")))
        assert named <= targets, document


def test_every_room_of_the_tree_is_on_the_map() -> None:
    shown = set(re.findall(r"`((?:app/)?[a-z]+)/`", section(README, "Map")))
    rooms = {path.parent for path in our_files() if path.parent != ROOT}
    at_the_top = {path.relative_to(ROOT).parts[0] for path in rooms} - {".ci"}
    in_the_app = {
        "/".join(path.relative_to(ROOT).parts[:2]) for path in rooms if path.match("app/*")
    }
    assert at_the_top - {"app"} | in_the_app == shown


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_and_every_path_in_code_leads_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)\s#]+)", text)
    for link in (each for each in links if "://" not in each):
        assert (document.parent / link).exists(), link
    named = r"`((?:app|ops|workers|tests|docs|demo|benchmarks|migrations)/[\w./-]*)`"
    for path in re.findall(named, text):
        assert (ROOT / path).exists(), path


def test_decisions_have_numbers_of_their_own_and_are_cited_by_them() -> None:
    numbers = [path.name[:4] for path in (ROOT / "docs/decisions").iterdir()]
    assert len(numbers) == len(set(numbers))
    for path, text in our_texts().items():
        for cited in re.findall(r"decisions/(\d{4})", text):
            assert cited in numbers, path


def test_no_text_names_a_machine_or_a_package_index() -> None:
    elsewhere = re.compile(
        r"(?<!\w)/(?:work|tmp|root)/|https?://[^\s)>\"']*(?:pypi|pythonhosted|npmjs)"
    )
    found = {path: elsewhere.findall(text) for path, text in our_texts().items()}
    assert {path: hits for path, hits in found.items() if hits} == {}


def test_documents_promise_nothing_and_praise_nothing() -> None:
    words = (
        "seamless|effortless|powerful|blazing|cutting-edge|world-class|revolution|to-?do|fixme|tbd"
    )
    unwanted = re.compile(rf"\b(?:{words})", re.IGNORECASE)
    found = {str(path): unwanted.findall(path.read_text(encoding="utf-8")) for path in DOCUMENTS}
    assert {path: hits for path, hits in found.items() if hits} == {}


def test_pictures_are_small() -> None:
    pictures = list((ROOT / "docs/images").glob("*.png"))
    assert pictures
    assert all(path.stat().st_size <= 300_000 for path in pictures)
