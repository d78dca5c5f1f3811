"""Checks that every page must pass: markup closed, ids unique, controls labelled."""

from collections import Counter
from xml.etree.ElementTree import Element

import html5lib

_UNLABELLED_KINDS = {"hidden", "submit", "button"}


def checked(html: str) -> Element:
    """Parse a whole page and return its root; fail where it breaks a rule of ours."""
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    root = parser.parse(html)
    assert parser.errors == [], parser.errors
    ids = Counter(one.get("id") for one in root.iter() if one.get("id"))
    assert [name for name, count in ids.items() if count > 1] == []
    labelled = {one.get("for") for one in root.iter("label")}
    for name in ("input", "select", "textarea"):
        for control in root.iter(name):
            if control.get("type") not in _UNLABELLED_KINDS:
                is_labelled = control.get("id") in labelled or control.get("aria-label")
                assert is_labelled, control.attrib
    for one in root.iter():
        for attribute in ("aria-describedby", "aria-labelledby"):
            for target in (one.get(attribute) or "").split():
                assert target in ids, (attribute, target)
    return root


def words(root: Element) -> str:
    """Return the text of a page's main part, its white space collapsed."""
    main = root.find(".//main")
    return " ".join(" ".join((root if main is None else main).itertext()).split())
