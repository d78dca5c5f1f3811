from __future__ import annotations

import pytest

from app.matching.normalize import NAME_TOKENS_MAX, NUMBERS_MAX, Channel, descriptor


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("SQ *JOE'S COFFEE SEATTLE WA", ("JOES", "COFFEE", "SEATTLE")),
        ("TST* Blue Door", ("BLUE", "DOOR")),
        ("PAYPAL *DROPBOX 4029357733 CA", ("DROPBOX",)),
        (
            "ORIG CO NAME:GUSTO ORIG ID:9138864007 CO ENTRY DESCR:PAYROLL SEC:CCD",
            ("GUSTO", "PAYROLL"),
        ),
        ("Acme Leasing, Inc.", ("ACME", "LEASING")),
        ("A.C.M.E. Intl Svcs LLC", ("ACME", "INTERNATIONAL", "SERVICES")),
        ("Müller & Söhne GmbH", ("MUELLER", "SOEHNE")),
        ("3M 415-555-0100", ()),
        ("日本電気株式会社", ("日本電気株式会社",)),
        ("", ()),
    ],
)
def test_the_name_is_read_out_of_the_noise(text, name):
    assert descriptor(text).name == name


@pytest.mark.parametrize(
    ("text", "reference", "kinds"),
    [
        ("CHECK # 00001043", False, (("cheque", "1043"),)),
        ("Check Paid #7", False, (("cheque", "7"),)),
        ("CHECKCARD 0315 SHELL OIL", False, ()),
        ("Payment INV-2001", False, (("invoice", "2001"),)),
        ("INV2001", True, (("invoice", "2001"),)),
        ("DEPOSIT ID NUMBER 884120", False, (("deposit slip", "884120"),)),
        ("Rent 2026-03-15", False, ()),
    ],
)
def test_numbers_say_what_they_are(text, reference, kinds):
    assert descriptor(text, reference=reference).kinds == kinds


@pytest.mark.parametrize(
    ("text", "channel"),
    [
        ("CHECK 1043", Channel.CHEQUE),
        ("POS DEBIT VISA SHELL", Channel.CARD),
        ("SQ *JOES", Channel.CARD),
        ("ACME DES:PAYMENT INDN:US", Channel.ACH),
        ("FEDWIRE DEBIT VIA", Channel.WIRE),
        ("REMOTE ONLINE DEPOSIT # 3", Channel.DEPOSIT),
        ("ACME", Channel.OTHER),
    ],
)
def test_the_channel_is_told_by_the_words(text, channel):
    assert descriptor(text).channel is channel


@pytest.mark.parametrize(
    "text",
    [
        "A" * 10_000,
        "CHECK " + "0" * 10_000,
        "CHECK " + "#. " * 5_000,
        "SQ *" * 3_000,
        "X" * 5_000 + "1234",
        "A." * 5_000,
        "1-" * 5_000,
        "\u202eDESREVER \U0001f600 " * 500,
        "\ufdfa" * 10_000,
        "word " * 4_000,
        "12345 " * 4_000,
        "\x00\x01\x02",
    ],
)
def test_hostile_text_is_read_in_bounds(text):
    read = descriptor(text)
    assert len(read.name) <= NAME_TOKENS_MAX
    assert len(read.numbers) <= NUMBERS_MAX


def test_initials_are_kept_for_acronyms():
    assert "NRCC" in descriptor("National Republican Congressional Committee").aliases
