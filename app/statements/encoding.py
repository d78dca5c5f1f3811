"""Turns the bytes of a bank file into text, and says how sure that is."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import Final

from app.statements.findings import FindingLog

# fmt: off
_ENCODINGS: Final = frozenset([
    "ascii", "utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1250", "cp1251", "cp1252",
    "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "cp437", "cp850", "cp852",
    "cp949", "iso8859-1", "iso8859-2", "iso8859-9", "iso8859-13", "iso8859-15", "mac-roman",
    "euc_kr", "euc_jp", "gb18030", "gbk", "big5", "shift_jis", "koi8-r",
])
# fmt: on
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MAGIC: Final = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "an Excel workbook or a ZIP archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"SQLite format", "a database"),
)
_SAMPLE_BYTES: Final = 65_536
_TEXT_CONTROLS: Final = frozenset(b"\t\n\v\f\r\x1a\x1b")

# Letters that only one of the two code pages has at that byte, or that are common there and
# rare in the other.  Central European: š ť ž ź ł ą ż ě ř ů ý ő ű č; Western: à ã å æ ç ê ñ õ.
_CP1250_BYTES: Final = {
    **dict.fromkeys(b"\x9a\x9d\x9e\x9c\x9f\xb3\xb9\xbf\xec\xfd\xef\xf2", 1.0),
    **dict.fromkeys(b"\xf8\xe8\xf9\xf5\xfb\xd8\xc8", 0.5),
    0xEA: 0.25,
}
_CP1252_BYTES: Final = {
    **dict.fromkeys(b"\xe0\xe3\xe5\xc5\xc0\xe7\xc7", 1.0),
    **dict.fromkeys(b"\xe6\xea\xf1\xf5\xf8\xe8\xf2\xf9\xfb", 0.5),
}
_CP1250_SCORE_MIN: Final = 1.5


class UnknownEncodingError(ValueError):
    """No such character encoding, or none that a text file has."""


@dataclass(frozen=True, slots=True)
class DecodedText:
    text: str
    encoding: str


def encoding_name(name: str) -> str:
    """Return the one spelling that we use of a character encoding's name.

    Raises:
        UnknownEncodingError: With one sentence.
    """
    plain = name.strip().lower()
    for known in _ENCODINGS:
        try:
            if codecs.lookup(plain).name == codecs.lookup(known).name:
                return known
        except (LookupError, ValueError):
            break
    if plain in {"utf-8-sig", "utf_8_sig"}:
        return "utf-8"
    raise UnknownEncodingError(f"“{name[:40]}” is not a character encoding that Tieout knows.")


def decode(data: bytes, remembered: str | None, findings: FindingLog) -> DecodedText | None:
    """Decode a file: BOM, UTF-16 by its NUL bytes, strict UTF-8, the remembered encoding, else
    Windows-1252 or, where the letters say so, Windows-1250.

    Returns:
        The text without BOM and NUL, or None with an error in `findings`.
    """  # noqa: D205 - the order is the summary
    for magic, name in _MAGIC:
        if data.startswith(magic):
            findings.error(
                "binary_file",
                f"This file is {name}, not text; export the statement as CSV or BAI2 instead.",
            )
            return None
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return _decoded(data[len(bom) :], encoding, findings)
    if utf16 := _utf16_without_bom(data):
        return _decoded(data, utf16, findings)
    if _is_binary(data):
        findings.error(
            "binary_file",
            "This file holds binary data, not text; export the statement as CSV or BAI2 instead.",
        )
        return None
    return _decoded_without_bom(data, remembered, findings)


def _decoded_without_bom(
    data: bytes, remembered: str | None, findings: FindingLog
) -> DecodedText | None:
    try:
        return _without_nul(data.decode("utf-8"), "utf-8", findings)
    except UnicodeDecodeError as error:
        line = _line_of(data, error.start)
    if remembered:
        return _decoded(data, remembered, findings)
    if _is_damaged_utf8(data):
        findings.warning(
            "encoding_damaged",
            f"Line {line}: some bytes are not valid UTF-8 and are shown as"
            " \N{REPLACEMENT CHARACTER}; export the file again if the text matters.",
            line=line,
        )
        return _without_nul(data.decode("utf-8", "replace"), "utf-8", findings)
    encoding = "cp1250" if _is_central_european(data) else "cp1252"
    findings.warning(
        "encoding_guessed",
        f"Line {line}: the file is not UTF-8 and is read as Windows-{encoding[2:]}; check the"
        " accented letters in the preview and choose another encoding if they are wrong.",
        line=line,
    )
    return _without_nul(data.decode(encoding, "replace"), encoding, findings)


def _decoded(data: bytes, encoding: str, findings: FindingLog) -> DecodedText | None:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = _line_of(data, error.start)
        findings.error(
            "encoding_mismatch",
            f"Line {line}: the bytes are not valid {encoding}; choose another encoding or export"
            " the file again.",
            line=line,
        )
        return None
    return _without_nul(text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}"), encoding, findings)


def _without_nul(text: str, encoding: str, findings: FindingLog) -> DecodedText:
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        findings.warning(
            "nul_bytes",
            f"Line {line}: the file holds NUL bytes, which were left out; check that line.",
            line=line,
        )
        text = text.replace("\0", "")
    return DecodedText(text.rstrip("\x1a"), encoding)  # the end-of-file mark of old systems


def physical_lines(text: str) -> list[str]:
    """Return the lines as a person counts them, whatever ends them (a lone carriage return too)."""
    plain = text.replace("\r\r\n", "\n").replace("\r\n", "\n").replace("\r", "\n")
    lines = plain.split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def _utf16_without_bom(data: bytes) -> str | None:
    """ASCII letters in UTF-16 have a NUL beside each of them, always on the same side."""
    sample = data[:_SAMPLE_BYTES]
    half = len(sample) // 2
    even_nuls, odd_nuls = sample[0::2].count(0), sample[1::2].count(0)
    if half and odd_nuls > half * 0.6 and even_nuls < half * 0.1:
        return "utf-16-le"
    if half and even_nuls > half * 0.6 and odd_nuls < half * 0.1:
        return "utf-16-be"
    return None


def _is_binary(data: bytes) -> bool:
    sample = data[:_SAMPLE_BYTES]
    controls = sum(sample.count(byte) for byte in range(1, 32) if byte not in _TEXT_CONTROLS)
    nuls = sample.count(0)
    return controls * 100 > len(sample) or nuls * 2 > len(sample) or (nuls > 0 and controls > 0)


def _is_damaged_utf8(data: bytes) -> bool:
    """Whole multi-byte letters do not come about by chance in a one-byte encoding."""
    text = data[:_SAMPLE_BYTES].decode("utf-8", "replace")
    broken = text.count("\N{REPLACEMENT CHARACTER}")
    whole = sum(1 for character in text if character > "\x7f") - broken
    return whole > broken


def _is_central_european(data: bytes) -> bool:
    central = sum(data.count(byte) * weight for byte, weight in _CP1250_BYTES.items())
    western = sum(data.count(byte) * weight for byte, weight in _CP1252_BYTES.items())
    return central >= _CP1250_SCORE_MIN and central > 1.5 * western


def _line_of(data: bytes, position: int) -> int:
    return data.count(b"\n", 0, position) + 1
