"""Layouts of banks in the United States and Canada, and of payment services."""

from __future__ import annotations

import pytest

from app.statements import ParsedFile, parse_statement


def amounts(parsed: ParsedFile) -> list[str]:
    assert parsed.accepted, parsed.findings
    return [str(one.amount) for statement in parsed.statements for one in statement.transactions]


def dates(parsed: ParsedFile) -> list[str]:
    return [
        one.date.isoformat() for statement in parsed.statements for one in statement.transactions
    ]


def codes(parsed: ParsedFile) -> set[str]:
    return {finding.code for finding in parsed.findings}


CHASE_CARD = b"""\
Transaction Date,Post Date,Description,Category,Type,Amount,Memo
01/28/2026,01/29/2026,BLUE BOTTLE 042,Food & Drink,Sale,-12.40,
01/27/2026,01/28/2026,AMZN Mktp US*2K4,Shopping,Sale,-1049.99,
01/15/2026,01/15/2026,Payment Thank You-Mobile,,Payment,2500.00,
01/14/2026,01/16/2026,AMZN Mktp US,Shopping,Return,31.07,
"""
CHASE_CHECKING = b"""\
Details,Posting Date,Description,Amount,Type,Balance,Check or Slip #
DEBIT,01/31/2026,"ORIG CO NAME:GUSTO PAYROLL",-8450.12,ACH_DEBIT,41549.88,,
CREDIT,01/30/2026,"FEDWIRE CREDIT VIA: WELLS",20000.00,WIRE_INCOMING,50000.00,,
CHECK,01/29/2026,"CHECK 1042",-300.00,CHECK_PAID,30000.00,1042,
DSLIP,01/28/2026,"DEPOSIT ID 88",300.00,DEPOSIT,30300.00,88,
"""
BANK_OF_AMERICA = b"""\
Description,,Summary Amt.
Beginning balance as of 01/01/2026,,"1,000.00"
Total credits,,"2,500.00"
Total debits,,"-135.50"
Ending balance as of 01/31/2026,,"3,364.50"

Date,Description,Amount,Running Bal.
01/01/2026,Beginning balance as of 01/01/2026,,"1,000.00"
01/05/2026,"CHECKCARD 0104 STAPLES, INC","-85.50","914.50"
01/20/2026,"ACME CORP DES:PAYMENT","2,500.00","3,414.50"
01/30/2026,"MONTHLY FEE","-50.00","3,364.50"
"""
AMEX = b"""\
Date,Description,Card Member,Account #,Amount
01/31/2026,DELTA AIR LINES ATLANTA,J DOE,-11003,420.10
01/20/2026,AUTOPAY PAYMENT - THANK YOU,J DOE,-11003,-980.00
01/12/2026,WHOLEFDS MKT,J DOE,-11003,55.23
"""
DISCOVER = b"""\
Trans. Date,Post Date,Description,Amount,Category
01/03/2026,01/03/2026,"INTERNET PAYMENT - THANK YOU",-250.00,"Payments and Credits"
01/17/2026,01/18/2026,"SHELL OIL 1234",41.20,"Gasoline"
"""
CITI_CARD = b"""\
Status,Date,Description,Debit,Credit,Member Name
Cleared,01/22/2026,"UBER TRIP",18.75,,J DOE
Cleared,01/19/2026,"ONLINE PAYMENT, THANK YOU",,-500.00,J DOE
Cleared,01/14/2026,"TARGET",60.00,,J DOE
"""
CAPITAL_ONE = b"""\
Transaction Date,Posted Date,Card No.,Description,Category,Debit,Credit
2026-01-05,2026-01-06,9876,GITHUB,Internet,21.00,
2026-01-04,2026-01-05,9876,CAPITAL ONE MOBILE PYMT,Payment/Credit,,450.00
"""
SCHWAB = b"""\
"Date","Status","Type","CheckNumber","Description","Withdrawal","Deposit","RunningBalance"
"01/30/2026","Posted","ACH","","VENMO PAYMENT","$1,200.00","","$8,800.25"
"01/28/2026","Posted","INTADJUST","","Interest Paid","","$0.25","$10,000.25"
"""
WELLS_FARGO = b"""\
"01/31/2026","-45.00","*","","RECURRING PAYMENT ADOBE"
"01/29/2026","1800.00","*","","DEPOSIT MADE IN A BRANCH"
"01/26/2026","-120.00","*","1187","CHECK # 1187"
"""
US_BANK = b"""\
"Date","Transaction","Name","Memo","Amount"
"2026-01-23","DEBIT","WEB AUTHORIZED PMT PGE","Download from usbank.com.","-310.44"
"2026-01-21","CREDIT","ELECTRONIC DEPOSIT STRIPE","Download from usbank.com.","1904.11"
"""
PNC = b"""\
Date,Description,Withdrawals,Deposits,Category,Balance
01/31/2026,ACH WEB SINGLE,$25.00,,Bills,"$1,975.00"
01/30/2026,MOBILE DEPOSIT,,$500.00,Income,"$2,000.00"
"""
MINT = b"""\
"Date","Description","Original Description","Amount","Transaction Type","Category","Account Name"
"1/29/2026","Costco","COSTCO WHSE #0123","210.33","debit","Groceries","CHECKING"
"1/15/2026","Paycheck","ACME PAYROLL","3000.00","credit","Income","CHECKING"
"""
RBC = b"""\
"Account Type","Account Number","Transaction Date","Cheque Number","Description 1","Description 2","CAD$","USD$"
Chequing,01234-5678901,1/29/2026,,"MISC PAYMENT","HYDRO ONE",-88.12,
Chequing,01234-5678901,1/30/2026,,"PAYROLL DEPOSIT","ACME LTD",2100.00,
"""
PAYPAL = b"""\
"Date","Time","TimeZone","Name","Type","Status","Currency","Gross","Fee","Net","From Email Address","To Email Address","Transaction ID","Balance"
"01/15/2026","08:01:02","PST","Ann Lee","Website Payment","Completed","USD","100.00","-3.20","96.80","a@example.com","b@example.com","8AB1","596.80"
"01/16/2026","09:01:02","PST","","General Withdrawal","Completed","USD","-500.00","0.00","-500.00","b@example.com","","8AB2","96.80"
"01/17/2026","09:01:02","PST","Joe","Website Payment","Pending","USD","5.00","0.00","5.00","b@example.com","","8AB3","96.80"
"""
STRIPE = b"""\
id,Type,Source,Amount,Fee,Net,Currency,Created (UTC),Available On (UTC),Description
txn_1,charge,ch_1,50.00,1.75,48.25,usd,2026-01-30 10:11,2026-02-01 00:00,Order 1
txn_2,payout,po_1,-48.25,0.00,-48.25,usd,2026-01-31 10:11,2026-01-31 00:00,STRIPE PAYOUT
"""
VENMO_LIKE = b"""\
,ID,Datetime,Type,Status,Note,From,To,Amount (total),Beginning Balance,Ending Balance
,,,,,,,,,$120.00,
,31,2026-01-13T04:05:06,Payment,Complete,rent,Ann,Joe,- $40.00,,
,32,2026-01-14T04:05:06,Payment,Complete,lunch,Joe,Ann,+ $12.50,,
,,,,,,,,,,$92.50
"""
SVB = b"""\
"Account Number","Date","Description","Debit Amt","Credit Amt","Bank ID","Text"
"330099","01/29/2026","WIRE OUT","1,250.00","","121140399","INV 12"
"330099","01/30/2026","WIRE IN","","9,000.10","121140399","CUSTOMER"
"""
MERCURY = b"""\
Date (UTC),Description,Amount,Status,Source Account,Bank Description,Reference,Note,Last Four Digits,Timestamp
01-30-2026,Gusto,-4000.00,Sent,Checking ..1234,GUSTO; NET,,,,01-30-2026 12:00:00
01-29-2026,Customer,900.00,Sent,Checking ..1234,CUSTOMER INC,,,,01-29-2026 12:00:00
"""
CR_DR_SUFFIX = b"""\
Date,Particulars,Amount,Balance
30/01/2026,NEFT ACME,"1,50,000.00 CR","2,00,000.00 CR"
31/01/2026,CHQ PAID 00123,"25,000.00 DR","1,75,000.00 CR"
"""
PARENTHESES = b"""\
Post Date\tDescription\tAmount
01/30/2026\tRent\t(2,000.00)
01/31/2026\tSales\t3,500.25
"""
TRAILING_MINUS = b"""\
Value Date|Narrative|Amount
2026-01-30|Card payment|45.10-
2026-01-31|Refund|5.10
"""


@pytest.mark.parametrize(
    ("data", "expected", "first"),
    [
        (CHASE_CARD, ["-12.40", "-1049.99", "2500.00", "31.07"], "2026-01-28"),
        (CHASE_CHECKING, ["-8450.12", "20000.00", "-300.00", "300.00"], "2026-01-31"),
        (BANK_OF_AMERICA, ["-85.50", "2500.00", "-50.00"], "2026-01-05"),
        (AMEX, ["-420.10", "980.00", "-55.23"], "2026-01-31"),
        (DISCOVER, ["250.00", "-41.20"], "2026-01-03"),
        (CITI_CARD, ["-18.75", "500.00", "-60.00"], "2026-01-22"),
        (CAPITAL_ONE, ["-21.00", "450.00"], "2026-01-05"),
        (SCHWAB, ["-1200.00", "0.25"], "2026-01-30"),
        (WELLS_FARGO, ["-45.00", "1800.00", "-120.00"], "2026-01-31"),
        (US_BANK, ["-310.44", "1904.11"], "2026-01-23"),
        (PNC, ["-25.00", "500.00"], "2026-01-31"),
        (MINT, ["-210.33", "3000.00"], "2026-01-29"),
        (RBC, ["-88.12", "2100.00"], "2026-01-29"),
        (PAYPAL, ["96.80", "-500.00"], "2026-01-15"),
        (STRIPE, ["48.25", "-48.25"], "2026-01-30"),
        (VENMO_LIKE, ["-40.00", "12.50"], "2026-01-13"),
        (SVB, ["-1250.00", "9000.10"], "2026-01-29"),
        (MERCURY, ["-4000.00", "900.00"], "2026-01-30"),
        (CR_DR_SUFFIX, ["150000.00", "-25000.00"], "2026-01-30"),
        (PARENTHESES, ["-2000.00", "3500.25"], "2026-01-30"),
        (TRAILING_MINUS, ["-45.10", "5.10"], "2026-01-30"),
    ],
    ids=lambda value: value[:40].decode() if isinstance(value, bytes) else "",
)
def test_each_layout_yields_signed_amounts_and_its_first_date(data, expected, first):
    parsed = parse_statement(data)
    assert amounts(parsed) == expected
    assert dates(parsed)[0] == first
