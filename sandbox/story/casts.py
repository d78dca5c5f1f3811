"""The companies whose money is at the sandbox's banks; every name is invented."""

from __future__ import annotations

from typing import Final

from sandbox.story.company import CARD, OPERATING, SAVINGS, SEPA_LAYOUT, Company, Habit, Shop
from sandbox.story.events import Kind

OFFICE_SHOPS: Final = (
    Shop("Office Barn", "OFFICE BARN #2218 PORTLAND OR", 96_00),
    Shop("Cloudpost", "CLOUDPOST SHIPPING 888-555-0121 CA", 143_00),
    Shop("Tank Stop", "TANK STOP #0933 PORTLAND OR", 68_00),
    Shop("Fig & Thistle", "TST* FIG AND THISTLE PORTLAND OR", 74_00, has_tip=True),
    Shop("Beanwright Coffee", "SQ *BEANWRIGHT COFFEE PORTLAND OR", 21_00, has_tip=True),
    Shop("Pixelpantry", "PIXELPANTRY.EXAMPLE 415-555-0108 CA", 49_00),
    Shop("Rail & Sky", "RAIL AND SKY TRAVEL 206-555-0133 WA", 312_00),
)

ALDER_AND_FINCH: Final = Company(
    name="Alder & Finch Outfitters",
    habits=(
        Habit("Basecamp Stores Inc", "VENDOR PAY", 4, 29_900_00, 15),
        Habit("Ridge Trading Post", "PAYMENT", 9, 13_150_00, 20),
        Habit("Shopwell Payments", "TRANSFER", 6, 8_720_00, 18),
        Habit("Shopwell Payments", "TRANSFER", 13, 9_240_00, 18),
        Habit("Shopwell Payments", "TRANSFER", 20, 8_980_00, 18),
        Habit("Shopwell Payments", "TRANSFER", 27, 9_610_00, 18),
        Habit("Cascade Co-op", "EPOSPYMNT", 16, 17_300_00, 12),
        Habit("Loomworks Textile", "INVOICE", 5, -14_880_00, 14),
        Habit("Zipper & Thread Supply", "INVOICE", 12, -4_260_00, 16),
        Habit("Willamette Properties", "RENT", 1, -9_800_00, 0),
        Habit("Columbia Power", "ELEC BILL", 11, -1_140_00, 18),
        Habit("Rivernet", "INTERNET", 8, -189_00, 0),
        Habit("Trailside Insurance", "INS PREM", 18, -1_455_00, 0),
        Habit("Pinecrest Health", "HEALTH INS", 3, -6_230_00, 0),
        Habit("Evergreen Retirement", "401K CONTR", 19, -3_380_00, 6),
        Habit("Ore Dept Revenue", "TAX PYMT", 25, -4_120_00, 15, Kind.TAX),
        Habit("Parcelway Freight", "FREIGHT", 22, -2_940_00, 22),
    ),
    shops=OFFICE_SHOPS,
    net_pay_minor=18_900_00,
    checks_per_month=6,
    deposits_per_month=5,
    card_purchases_per_month=34,
)

BRIGHTLINE_DENTAL: Final = Company(
    name="Brightline Dental Group",
    habits=(
        Habit("Unity Dental Ins", "HCCLAIMPMT", 3, 18_240_00, 14, Kind.ACH),
        Habit("Unity Dental Ins", "HCCLAIMPMT", 17, 16_880_00, 14, Kind.ACH),
        Habit("Northstar Benefits", "HCCLAIMPMT", 9, 11_430_00, 18),
        Habit("Northstar Benefits", "HCCLAIMPMT", 23, 12_150_00, 18),
        Habit("Merchant Services", "DEPOSIT", 6, 7_310_00, 20),
        Habit("Merchant Services", "DEPOSIT", 13, 6_940_00, 20),
        Habit("Merchant Services", "DEPOSIT", 20, 7_480_00, 20),
        Habit("Merchant Services", "DEPOSIT", 27, 7_120_00, 20),
        Habit("Apex Dental Supply", "INVOICE", 7, -8_460_00, 17),
        Habit("Crownlab Ceramics", "INVOICE", 14, -5_220_00, 22),
        Habit("Medical Plaza LP", "RENT", 1, -12_400_00, 0),
        Habit("Steriline Equipment", "LEASE PMT", 15, -2_870_00, 0, Kind.LOAN),
        Habit("Practice Cloud", "SOFTWARE", 10, -640_00, 0),
    ),
    shops=OFFICE_SHOPS,
    net_pay_minor=22_600_00,
    checks_per_month=4,
    deposits_per_month=3,
    card_purchases_per_month=0,
    account_keys=(OPERATING, SAVINGS),
)

HAVENZICHT: Final = Company(
    name="Havenzicht Logistiek B.V.",
    habits=(
        Habit("Kade Vier Retail B.V.", "OVERBOEKING", 5, 25_900_00, 15),
        Habit("Polder Bouwmarkt N.V.", "OVERBOEKING", 12, 19_750_00, 18),
        Habit("Duinstroom Food B.V.", "OVERBOEKING", 19, 16_120_00, 16),
        Habit("Tankpas Benelux", "INCASSO", 8, -7_840_00, 20),
        Habit("Truck Lease Zuid", "INCASSO", 1, -9_650_00, 0, Kind.LOAN),
        Habit("Belastingdienst", "INCASSO", 27, -6_310_00, 12, Kind.TAX),
        Habit("Havenbedrijf", "INCASSO", 15, -3_420_00, 10),
    ),
    shops=(
        Shop("Wegrestaurant De Lantaarn", "DE LANTAARN MOERDIJK NLD", 38_00),
        Shop("Kantoorvakhuis", "KANTOORVAKHUIS ROTTERDAM NLD", 84_00),
        Shop("Brandstof Plus", "BRANDSTOF PLUS A16 NLD", 212_00),
    ),
    net_pay_minor=11_800_00,
    checks_per_month=0,
    deposits_per_month=0,
    card_purchases_per_month=12,
    account_keys=(OPERATING, SAVINGS, CARD),
    layout=SEPA_LAYOUT,
)
