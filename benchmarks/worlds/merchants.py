"""Well-known merchants: what stands on a statement, and what bookkeepers call them.

`#` is a digit and `@` a letter or digit that changes every time.
"""

from __future__ import annotations

import random

from benchmarks.worlds.names import Party

_KNOWN = (
    (
        ("Amazon", "AMZN Mktp US*@@@@@@@@@ Amzn.com/bill WA"),
        ("Amazon", "AMAZON.COM*@@@@@@@@@ SEATTLE WA"),
        ("Amazon Web Services", "Amazon web services aws.amazon.co WA"),
        ("Google Workspace", "GOOGLE *GSUITE_northwind cc@google.com CA"),
        ("Google Ads", "GOOGLE *ADS########## 650-2530000 CA"),
        ("Microsoft", "MSFT * E0########## MSBILL.INFO WA"),
        ("Verizon Wireless", "VZWRLSS*APOCC VISB 800-922-0204 FL"),
        ("Comcast", "COMCAST CABLE COMM 800-COMCAST PA"),
        ("UPS", "UPS*0000@@@@@@ 800-811-1648 GA"),
        ("FedEx", "FEDEX ######### 800-4633339 TN"),
        ("Uber", "UBER *TRIP HELP.UBER.COM CA"),
        ("Home Depot", "THE HOME DEPOT #4### DENVER CO"),
        ("Costco", "COSTCO WHSE #0### BOISE ID"),
        ("Adobe", "ADOBE *CREATIVE CLOUD 408-536-6000 CA"),
        ("QuickBooks", "INTUIT *QBooks Online CL.INTUIT.COM CA"),
        ("Southwest Airlines", "SOUTHWES 526########## 800-435-9792 TX"),
        ("Starbucks", "STARBUCKS STORE 0#### CHICAGO IL"),
        ("LinkedIn", "LinkedIn-6##*##### Mountain View CA"),
    ),
    (
        ("Facebook Ads", "FACEBK *@@@@@@@@@@ fb.me/ads CA"),
        ("AT&T", "ATT*BILL PAYMENT 800-331-0500 TX"),
        ("Dropbox", "DROPBOX*@@@@@@@@@@@@ DROPBOX.COM CA"),
        ("Zoom", "ZOOM.US 888-799-9666 WWW.ZOOM.US CA"),
        ("Delta Air Lines", "DELTA AIR 006########## ATLANTA GA"),
        ("Staples", "STAPLES 0011#### BOSTON MA"),
        ("Lowe's", "LOWES #00###* RALEIGH NC"),
        ("T-Mobile", "TMOBILE*AUTO PAY 800-937-8997 WA"),
        ("Slack", "SLACK T0@@@@@@@ DUBLIN"),
        ("US Postal Service", "USPS PO 33######## MIAMI FL"),
        ("Shell", "SHELL OIL 5744####### NEWARK NJ"),
        ("Mailchimp", "MAILCHIMP *MISC MAILCHIMP.COM GA"),
        ("DoorDash", "DD *DOORDASH @@@@@@@ 855-973-1040 CA"),
        ("Spectrum", "SPECTRUM 855-707-7328 MO"),
        ("Walmart", "WM SUPERCENTER #1### TULSA OK"),
        ("American Airlines", "AMERICAN AIR001########## FORT WORTH TX"),
        ("Indeed", "INDEED JOBS ######## 800-4625842 TX"),
        ("Canva", "CANVA* I0####-######## HTTPSCANVA.CO DE"),
    ),
)


def merchant(rng: random.Random, half: int) -> Party:
    """Return a well-known merchant."""
    name, line = rng.choice(_KNOWN[half])
    return Party(name, name.upper(), "", (), line)


def filled(rng: random.Random, line: str) -> str:
    """Return the line with its changing places filled."""
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
    return "".join(
        rng.choice("0123456789") if c == "#" else rng.choice(letters) if c == "@" else c
        for c in line
    )
