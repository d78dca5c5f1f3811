"""Who appears in the demo: the company, its people, customers, vendors and accounts.

Every name is invented, as are telephone numbers (555-01xx) and identifiers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ORGANIZATION: Final = {
    "name": "Northgate Print & Design",
    "legal_name": "Northgate Print & Design, LLC",
    "city": "Tacoma, Washington",
    "time_zone": "America/Los_Angeles",
    "currency": "USD",
}
BANK_SPELLING: Final = "NORTHGATE PRINT & DE"
"""How the company's own name looks in a clearing-house record of 22 characters."""

PEOPLE: Final = (
    ("Marisol Vega", "marisol", "admin", True),
    ("Dana Whitfield", "dana", "controller", True),
    ("Theo Lindqvist", "theo", "accountant", False),
    ("Priya Raman", "priya", "viewer", False),
)
"""Name, mailbox, role, and whether the person may manage bank connections."""

MAIL_DOMAIN: Final = "northgate-demo.example"

GL_ACCOUNTS: Final = (
    ("1000", "Operating checking", "asset"),
    ("1010", "Reserve savings", "asset"),
    ("1200", "Accounts receivable", "asset"),
    ("1300", "Paper and ink inventory", "asset"),
    ("1500", "Presses and equipment", "asset"),
    ("1590", "Accumulated depreciation", "asset"),
    ("2000", "Accounts payable", "liability"),
    ("2100", "Company credit card", "liability"),
    ("2200", "Payroll liabilities", "liability"),
    ("2300", "Sales tax payable", "liability"),
    ("2500", "Press loan", "liability"),
    ("3000", "Members' equity", "equity"),
    ("3100", "Members' draws", "equity"),
    ("4000", "Design and print sales", "income"),
    ("4010", "Online shop sales", "income"),
    ("4020", "Counter sales", "income"),
    ("4900", "Interest income", "income"),
    ("5000", "Paper and ink used", "expense"),
    ("5100", "Bindery and finishing", "expense"),
    ("5200", "Freight and courier", "expense"),
    ("6000", "Wages", "expense"),
    ("6010", "Payroll taxes", "expense"),
    ("6020", "Employee benefits", "expense"),
    ("6100", "Rent", "expense"),
    ("6110", "Utilities", "expense"),
    ("6120", "Telephone and internet", "expense"),
    ("6130", "Cleaning and waste", "expense"),
    ("6200", "Equipment leases", "expense"),
    ("6210", "Repairs and maintenance", "expense"),
    ("6300", "Office supplies", "expense"),
    ("6310", "Postage", "expense"),
    ("6400", "Software subscriptions", "expense"),
    ("6500", "Advertising", "expense"),
    ("6600", "Insurance", "expense"),
    ("6610", "Professional fees", "expense"),
    ("6620", "Freelance illustration", "expense"),
    ("6700", "Travel and meals", "expense"),
    ("6710", "Vehicle and fuel", "expense"),
    ("6720", "Parking", "expense"),
    ("6800", "Bank fees", "expense"),
    ("6810", "Card processing fees", "expense"),
    ("6820", "Currency differences", "expense"),
    ("6830", "Loan interest", "expense"),
    ("6840", "Payroll service fees", "expense"),
    ("6900", "Depreciation", "expense"),
)

LEDGER_BANK_ACCOUNTS: Final = (
    {
        "name": "Operating checking",
        "gl_account_number": "1000",
        "institution": "Puget Harbor Bank",
        "type": "checking",
        "mask": "4417",
        "file_format": "csv",
    },
    {
        "name": "Reserve savings",
        "gl_account_number": "1010",
        "institution": "Cascade Mutual Savings",
        "type": "savings",
        "mask": "0926",
        "file_format": "bai2",
    },
)
RESERVE_ACCOUNT_NUMBER: Final = "3300410926"
RESERVE_ROUTING_NUMBER: Final = "999000926"
CUSTOMER_NUMBER: Final = "NORTHGATE"

OPENING_BALANCES_MINOR: Final = {"1000": 86_412_07, "1010": 148_250_00}

MATCHING_RULES: Final = (
    {
        "name": "Net pay through Paylark",
        "bank_description_contains": "PAYLARK",
        "direction": "out",
        "gl_counterparty_contains": "Paylark",
        "days_apart_max": 5,
    },
)


@dataclass(frozen=True, slots=True)
class Party:
    """A customer or vendor: its name in the books, and as banks shorten it."""

    name: str
    bank_name: str
    contra: str = "2000"


@dataclass(frozen=True, slots=True)
class Merchant:
    """A shop that takes the debit card: its books name and the text that banks print."""

    name: str
    bank_text: str
    contra: str
    label: str


# Customers who pay by ACH.
HARROW = Party("Harrow & Pine Coffee Roasters", "HARROW PINE COF", "1200")
KESTREL = Party("Kestrel Brewing Company", "KESTREL BREWING", "1200")
SALISHAN = Party("Salishan Outfitters, Inc.", "SALISHAN OUTFITT", "1200")
BRIGHTWATER = Party("Brightwater Dental Group", "BRIGHTWATER DENT", "1200")
RIDGELINE = Party("Ridgeline Credit Union", "RIDGELINE CU", "1200")
STONEBRIDGE = Party("Stonebridge Architects", "STONEBRIDGE ARCH", "1200")
COPPERLINE = Party("Copperline Plumbing & Heating", "COPPERLINE PLBG", "1200")
PACIFIC = Party("Pacific Rim Freight Forwarders", "PRFF LOGISTICS", "1200")
ORCHARD = Party("Northwest Orchard Growers Association", "NWOGA", "1200")
FERN = Party("Fern Hollow Winery", "FERN HOLLOW WINE", "1200")
LUMEN = Party("Lumen Yoga Collective", "LUMEN YOGA COLL", "1200")
QUILL = Party("Quill & Compass Books", "QUILL COMPASS", "1200")
BILLSTREAM = Party("Billstream", "BILLSTREAM", "1200")
"""A payment service: what it sends carries its own name, not the customer's."""

# Customers who write cheques, and one who wires.
TIDEPOOL = Party("Tidepool Children's Museum", "", "1200")
CEDAR = Party("Cedar Loop Schools Foundation", "", "1200")
FESTIVAL = Party("Tacoma Harbor Festival", "", "1200")
BLUEBIRD = Party("Bluebird Bakery", "", "1200")
HOLLIS = Party("Hollis Family Law, PLLC", "", "1200")
ORCA = Party("Orca Bay Aquatics", "", "1200")
SABLE = Party("Sable Theatre Company", "", "1200")
MAPLE = Party("Maple Street Veterinary", "", "1200")
VASHON = Party("Vashon Island Tours", "", "1200")
OLMSTEAD = Party("Olmstead Realty Partners", "", "1200")
FIELDNOTES = Party("Fieldnotes Landscape Co.", "", "1200")
MERIDIAN = Party("Meridian Title & Escrow, Inc.", "MERIDIAN TITLE & ESCROW INC SEATTLE WA", "1200")

# Vendors.
CASCADIA = Party("Cascadia Paper Supply Co.", "CascadiaPaper")
INKWELL = Party("Inkwell Graphics Supply", "Inkwell Graphics")
PLATE = Party("Puget Plate & Film", "PugetPlateFilm")
COURIER = Party("QuickWheel Courier", "QuickWheel")
TINCTURE = Party("Tincture Specialty Inks", "TinctureInks")
CORRUGATED = Party("Duwamish Corrugated", "DuwamishCorr")
BINDERY = Party("Rainier Bindery", "")
ENVELOPE = Party("Sound Envelope Company", "")
FOIL = Party("Delmar Die & Foil", "")
JANITOR = Party("Maplewood Janitorial", "", "6130")
ALARM = Party("Sentinel Alarm", "", "6110")
LANDLORD = Party("Dock Street Properties, LLC", "", "6100")
CPA = Party("Ostrander & Lowe CPAs", "", "6610")
PRESS_REPAIR = Party("Heidrun Press Service", "", "6210")
ILLUSTRATOR = Party("Ines Calloway Illustration", "", "6620")
PHOTOGRAPHER = Party("Wes Okafor Photography", "", "6620")
CHAMBER = Party("South Sound Chamber of Commerce", "", "6500")

LEASING = Party("Summit Press Leasing", "SUMMIT PRESS LSG", "6200")
LENDER = Party("Puget Harbor Bank", "PUGET HARBOR LN", "2500")
POWER = Party("Harborlight Power", "HARBORLIGHT PWR", "6110")
WATER = Party("City of Tacoma Utilities", "TACOMA UTIL", "6110")
GAS = Party("Northline Gas", "NORTHLINE GAS", "6110")
INTERNET = Party("Gridwave Internet", "GRIDWAVE", "6120")
WIRELESS = Party("Bellweather Wireless", "BELLWEATHER WRLS", "6120")
WASTE = Party("GreenBin Recycling", "GREENBIN RECYC", "6130")
INSURER = Party("Evergreen Mutual Insurance", "EVERGREEN MUTUAL", "6600")
HEALTH = Party("Blueflag Health Plans", "BLUEFLAG HEALTH", "6020")
PENSION = Party("Summit Retirement Services", "SUMMIT RETIREMNT", "2200")
PAYROLL = Party("Paylark Payroll, Inc.", "PAYLARK PAYROLL", "6000")
REVENUE = Party("Washington Department of Revenue", "WA DEPT REVENUE", "2300")
TREASURY = Party("Internal Revenue Service", "IRS", "2200")
STATE_LEAVE = Party("Washington Paid Leave", "WA ST PAID LEAVE", "2200")
CARD_ISSUER = Party("Summit Card Services", "SUMMIT CARD SVCS", "2100")
STRIPE = Party("Stripe", "STRIPE", "4010")
SQUARE = Party("Square", "SQUARE INC", "4020")
SAVINGS_BANK = Party("Cascade Mutual Savings", "CASCADE MUTUAL S", "1010")

# Shops that take the debit card.
KERNING = Merchant(
    "Kerning Cloud", "KERNING CLOUD 888-555-0137 CA", "6400", "Design software, 3 seats"
)
STACKLIGHT = Merchant("Stacklight Hosting", "STACKLIGHT.EXAMPLE NY", "6400", "Web shop hosting")
PIXELPANTRY = Merchant(
    "Pixelpantry", "PXLPANTRY* STOCK 800-555-0164 TX", "6400", "Stock photo plan"
)
PROOFDESK = Merchant("Proofdesk", "PROOFDESK 877-555-0119 OR", "6400", "Online proofing plan")
FONTS = Merchant("Typefoundry Basel AG", "TYPEFOUNDRY BASEL AG BASEL CHE", "6400", "Font licence")
DOMAINS = Merchant("Nameharbor", "NAMEHARBOR DOMAINS 480-555-0188 AZ", "6400", "Domain renewal")
FUEL = Merchant("Tank Stop", "TANK STOP #0417 TACOMA WA", "6710", "Fuel, delivery van")
PARKING = Merchant("Metro Parking", "METRO PARKING 253-555-0102 TACOMA WA", "6720", "Parking")
POST = Merchant("U.S. Postal Service", "USPS PO 5479400402 TACOMA WA", "6310", "Stamps and parcels")
OFFICE = Merchant("Office Barn", "OFFICE BARN #1182 LAKEWOOD WA", "6300", "Office supplies")
BAGELS = Merchant("Rain City Bagels", "SQ *RAIN CITY BAGELS TACOMA WA", "6700", "Team breakfast")
LUNCH = Merchant("Noodle Quay", "TST* NOODLE QUAY TACOMA WA", "6700", "Client lunch")
COFFEE = Merchant(
    "Dockside Espresso", "SQ *DOCKSIDE ESPRESSO TACOMA WA", "6700", "Coffee for the shop"
)
PARCEL = Merchant("Orbit Parcel", "ORBIT PARCEL 800-555-0190 TN", "5200", "Parcel shipping")
TRAIN = Merchant("Cascades Rail", "CASCADES RAIL 253-555-0155 WA", "6700", "Train to Portland")
