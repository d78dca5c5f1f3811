"""Checks that every page must pass: markup closed, ids unique, controls labelled, forms protected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator
from xml.etree.ElementTree import Element

import html5lib

_UNLABELLED_KINDS = {"hidden", "submit", "button"}
_REFERENCES = ("for", "form", "aria-describedby", "aria-labelledby", "aria-controls", "data-dialog")


def checked(html: str) -> Element:
    """Parse a whole page and return its root; fail where it breaks a rule of ours."""
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    root = parser.parse(html)
    assert parser.errors == [], parser.errors
    assert html.lstrip().startswith("<!DOCTYPE html>")
    assert root.get("lang")
    assert (root.findtext(".//title") or "").strip()
    assert len(list(root.iter("main"))) == 1
    assert len(list(root.iter("h1"))) == 1
    assert _text(root.find(".//h1"))
    _check_rules(root, ids_of(root))
    return root


def checked_fragment(html: str, page_ids: Container[str] = ()) -> Element:
    """Parse what htmx swaps in; it may refer to ids of the page that it goes into."""
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    root = parser.parseFragment(html, container="div")
    assert parser.errors == [], parser.errors
    _check_rules(root, {*ids_of(root), *page_ids} if page_ids else ids_of(root))
    return root


def ids_of(root: Element) -> set[str]:
    """Return all ids; fail where one stands twice."""
    found = Counter(one.get("id") for one in _all(root) if one.get("id"))
    assert [name for name, count in found.items() if count > 1] == [], found
    return set(found)


def words(root: Element) -> str:
    """Return the text of a page's main part, its white space collapsed."""
    main = root.find(".//main")
    return " ".join(" ".join((root if main is None else main).itertext()).split())


def _check_rules(root: Element, ids: Container[str]) -> None:
    _check_references(root, ids)
    _check_controls(root)
    _check_forms(root)
    _check_tables(root)
    _check_names(root)
    _check_policy(root)


def _all(root: Element) -> Iterator[Element]:
    """Yield every element; comments have no tag of their own."""
    return (one for one in root.iter() if isinstance(one.tag, str))


def _text(element: Element | None) -> str:
    return "" if element is None else "".join(element.itertext()).strip()


def _check_references(root: Element, ids: Container[str]) -> None:
    for one in _all(root):
        for attribute in _REFERENCES:
            for target in (one.get(attribute) or "").split():
                assert target in ids, (attribute, target)
        if one.tag == "a" and (one.get("href") or "").startswith("#"):
            assert one.attrib["href"][1:] in ids, one.attrib


def _check_controls(root: Element) -> None:
    labels = {one.get("for"): _text(one) for one in root.iter("label")}
    for name in ("input", "select", "textarea"):
        for control in root.iter(name):
            if control.get("type") not in _UNLABELLED_KINDS:
                words_of = labels.get(control.get("id")) or control.get("aria-label")
                assert words_of, control.attrib


def _check_forms(root: Element) -> None:
    for form in root.iter("form"):
        assert form.get("method") in {"get", "post", "dialog"}, form.attrib
        if form.get("method") == "post":
            assert form.get("action"), form.attrib
            names = [one.get("name") for one in form.iter("input") if one.get("type") == "hidden"]
            assert names.count("csrf_token") == 1, form.attrib


def _check_tables(root: Element) -> None:
    for table in root.iter("table"):
        labelled = table.get("aria-label") or table.get("aria-labelledby")
        assert labelled or _text(table.find("caption")), table.attrib
        for head in table.iter("th"):
            assert head.get("scope") in {"col", "row", "rowgroup", "colgroup"}, head.attrib
            assert _text(head) or len(head), table.attrib


def _check_names(root: Element) -> None:
    for name in ("a", "button", "summary"):
        for one in root.iter(name):
            assert one.get("aria-label") or _text(one), one.attrib
    for section in root.iter("section"):
        if "sheet" in (section.get("class") or "").split() and section.find(".//table") is not None:
            assert section.get("aria-label") or section.get("aria-labelledby"), section.attrib


def _check_policy(root: Element) -> None:
    """What the Content-Security-Policy would refuse must not be there at all."""
    assert list(root.iter("style")) == []
    for script in root.iter("script"):
        assert script.get("src", "").startswith("/static/"), script.attrib
        assert not _text(script)
    for one in _all(root):
        for attribute, value in one.attrib.items():
            assert not attribute.startswith(("on", "hx-on")), (one.tag, attribute)
            assert attribute != "style", (one.tag, value)
            assert not value.strip().lower().startswith(("javascript:", "js:")), one.attrib
