"""Layouts of banks in Europe, and further formats from elsewhere."""

from __future__ import annotations

import pytest

from app.statements import ParsedFile, parse_statement


def amounts(parsed: ParsedFile) -> list[str]:
    assert parsed.accepted, parsed.findings
    return [str(one.amount) for statement in parsed.statements for one in statement.transactions]


DKB = """\
"Kontonummer:";"DE02120300000000202051 / Girokonto";
"Von:";"01.01.2026";
"Bis:";"31.01.2026";
"Kontostand vom 31.01.2026:";"3.364,50 EUR";

"Buchungstag";"Wertstellung";"Buchungstext";"Auftraggeber / Begünstigter";"Verwendungszweck";"Kontonummer";"BLZ";"Betrag (EUR)";"Gläubiger-ID";"Mandatsreferenz";"Kundenreferenz";
"30.01.2026";"30.01.2026";"Lastschrift";"Stadtwerke";"Abschlag Januar";"DE11";"BYLADEM1001";"-85,50";"DE98ZZZ";"M-1";"K-1";
"12.01.2026";"12.01.2026";"Gutschrift";"Kunde AG";"Rechnung 4711";"DE22";"GENODEF1";"1.200,00";"";"";"";
""".encode("iso8859-1")
DKB_NEW = """\
"Girokonto";"DE02120300000000202051"
"Zeitraum:";"01.01.2026 - 31.01.2026"
"Kontostand vom 31.01.2026:";"3.364,50 €"
""
"Buchungsdatum";"Wertstellung";"Status";"Zahlungspflichtige*r";"Zahlungsempfänger*in";"Verwendungszweck";"Umsatztyp";"IBAN";"Betrag (€)";"Gläubiger-ID";"Mandatsreferenz";"Kundenreferenz"
"30.01.26";"30.01.26";"Gebucht";"ISSUER";"REWE";"Einkauf";"Ausgang";"DE33";"-23,99";"";"";""
"29.01.26";"29.01.26";"Gebucht";"Kunde";"Wir";"Rechnung";"Eingang";"DE44";"1.000";"";"";""
""".encode()
ING_DE = """\
Umsatzanzeige;Datei erstellt am: 01.02.2026 10:00

IBAN;DE12 5001 0517 0000 0000 00
Kontoname;Girokonto
Saldo;1.114,50;EUR

In der CSV-Datei finden Sie alle bereits gebuchten Umsätze.

Buchung;Valuta;Auftraggeber/Empfänger;Buchungstext;Verwendungszweck;Saldo;Währung;Betrag;Währung
30.01.2026;30.01.2026;Telekom;Lastschrift;Rechnung Januar;1.114,50;EUR;-85,50;EUR
12.01.2026;13.01.2026;Kunde AG;Gutschrift;Rechnung 4711;1.200,00;EUR;1.200,00;EUR
""".encode("cp1252")
COMDIRECT = """\
;
"Umsätze Girokonto";"Zeitraum: 30 Tage";
"Neuer Kontostand";"3.364,50 EUR";

"Buchungstag";"Wertstellung (Valuta)";"Vorgang";"Buchungstext";"Umsatz in EUR";
"30.01.2026";"30.01.2026";"Lastschrift / Belastung";"Auftraggeber: Vodafone Buchungstext: Rechnung";"-44,99";
"13.01.2026";"13.01.2026";"Übertrag / Überweisung";"Empfänger: Max";"1.250,00";

"Alter Kontostand";"2.159,49 EUR";
""".encode("cp1252")
SPARKASSE_CAMT = b"""\
"Auftragskonto";"Buchungstag";"Valutadatum";"Buchungstext";"Verwendungszweck";"Glaeubiger ID";"Mandatsreferenz";"Kundenreferenz (End-to-End)";"Sammlerreferenz";"Lastschrift Ursprungsbetrag";"Auslagenersatz Ruecklastschrift";"Beguenstigter/Zahlungspflichtiger";"Kontonummer/IBAN";"BIC (SWIFT-Code)";"Betrag";"Waehrung";"Info"
"DE00";"30.01.26";"30.01.26";"FOLGELASTSCHRIFT";"Miete";"";"";"";"";"";"";"Vermieter";"DE55";"XYZ";"-900,00";"EUR";"Umsatz gebucht"
"DE00";"29.01.26";"29.01.26";"GUTSCHRIFT";"Gehalt";"";"";"";"";"";"";"Firma";"DE66";"XYZ";"2500,00";"EUR";"Umsatz gebucht"
"""
VOLKSBANK_LETTER = """\
Buchungstag;Valuta;Auftraggeber/Zahlungsempfänger;Empfänger/Zahlungspflichtiger;Konto-Nr.;IBAN;BLZ;BIC;Vorgang/Verwendungszweck;Kundenreferenz;Währung;Umsatz;
30.01.2026;30.01.2026;Wir;Strom AG;1;DE1;2;BIC;Abschlag;;EUR;85,50;S
29.01.2026;29.01.2026;Wir;Kunde;1;DE1;2;BIC;Rechnung;;EUR;1.200,00;H
""".encode("cp1252")
DEUTSCHE_BANK = """\
Umsätze;;;;Kundennummer: 100 1234567
01.01.2026 - 31.01.2026
Letzter Kontostand;;;;1.000,00;EUR
Buchungstag;Wert;Umsatzart;Begünstigter / Auftraggeber;Verwendungszweck;IBAN;BIC;Kundenreferenz;Mandatsreferenz ;Gläubiger ID;Fremde Gebühren;Betrag;Abweichender Empfänger;Anzahl der Aufträge;Anzahl der Schecks;Soll;Haben;Währung
30.01.2026;30.01.2026;SEPA-Lastschrift;Strom AG;Abschlag;DE1;BIC;;M1;G1;;;;;;-85,50;;EUR
29.01.2026;29.01.2026;SEPA-Gutschrift;Kunde;Rechnung;DE2;BIC;;;;;;;;;;1.200,00;EUR
Kontostand;31.01.2026;;;2.114,50;EUR
""".encode("cp1252")
N26 = b"""\
"Date","Payee","Account number","Transaction type","Payment reference","Amount (EUR)","Amount (Foreign Currency)","Type Foreign Currency","Exchange Rate"
"2026-01-30","REWE","","MasterCard Payment","","-23.99","-23.99","EUR","1.0"
"2026-01-29","Kunde","DE22","Income","Rechnung 4711","1200.0","","",""
"""
ING_NL = b"""\
"Datum","Naam / Omschrijving","Rekening","Tegenrekening","Code","Af Bij","Bedrag (EUR)","Mutatiesoort","Mededelingen"
"20260130","ALBERT HEIJN 1234","NL01INGB0001234567","","BA","Af","45,67","Betaalautomaat","Pasvolgnr: 001"
"20260129","WERKGEVER BV","NL01INGB0001234567","NL02ABNA0123456789","GT","Bij","2500,00","Online bankieren","Salaris"
"""
ABN_AMRO = b"""\
123456789\tEUR\t20260130\t1000,00\t954,33\t20260130\t-45,67\tBEA NR:1234 ALBERT HEIJN
123456789\tEUR\t20260131\t954,33\t3454,33\t20260131\t2500,00\tSEPA OVERBOEKING SALARIS
"""
KBC = b"""\
Rekeningnummer;Rubrieknaam;Naam;Munt;Afschriftnummer;Datum;Omschrijving;Valuta;Bedrag;Saldo;credit;debet;rekeningnummer tegenpartij;BIC tegenpartij;Naam tegenpartij;Adres tegenpartij;gestructureerde mededeling;Vrije mededeling
BE01;;JAN;EUR;02026001;30/01/2026;BETALING COLRUYT;30/01/2026;-45,67;954,33;;-45,67;;;COLRUYT;;;
BE01;;JAN;EUR;02026001;29/01/2026;LOON;29/01/2026;500,00;1000,00;500,00;;BE02;KRED;ACME NV;;;loon januari
"""
BNP = """\
Compte de chèques;Compte de chèques;****1234;31/01/2026;;1 114,50
30/01/2026;PRLV;PRELEVEMENT SEPA;EDF CLIENTS PARTICULIERS;;-85,50
29/01/2026;VIR;VIREMENT RECU;CLIENT SARL;;1 200,00
""".encode("cp1252")
CREDIT_AGRICOLE = """\
Téléchargement du 01/02/2026;

M. DUPONT
Compte chèque n° 12345678;
Solde au 31/01/2026 1 114,50 €

Date;Libellé;Débit euros;Crédit euros;
30/01/2026;"PRELEVEMENT
EDF CLIENTS";85,50;;
29/01/2026;"VIREMENT RECU
CLIENT SARL";;1 200,00;
""".encode("cp1252")
BOURSORAMA = b"""\
dateOp;dateVal;label;category;categoryParent;supplierFound;amount;comment;accountNum;accountLabel;accountbalance
2026-01-30;2026-01-30;"CARTE 29/01/26 CARREFOUR";"Alimentation";"Vie quotidienne";carrefour;-45,67;;00012345678;BoursoBank;954.33
2026-01-29;2026-01-29;"VIR SALAIRE";"Virements";"Virements";acme;"2 500,00";;00012345678;BoursoBank;1000.00
"""
SANTANDER_ES = """\
Fecha Operación;Fecha Valor;Concepto;Importe;Divisa;Saldo;Divisa
30/01/2026;30/01/2026;RECIBO ENDESA;-85,50;EUR;1.114,50;EUR
29/01/2026;29/01/2026;TRANSFERENCIA RECIBIDA;1.200,00;EUR;1.200,00;EUR
""".encode()
INTESA = b"""\
Data contabile;Data valuta;Dare;Avere;Valuta;Descrizione;Descrizione estesa
30/01/2026;30/01/2026;-85,50;;EUR;Addebito SDD;ENEL ENERGIA
29/01/2026;29/01/2026;;1.200,00;EUR;Bonifico;CLIENTE SRL
"""
MILLENNIUM_PT = """\
Data lançamento;Data valor;Descrição;Montante;Tipo;Saldo
30-01-2026;30-01-2026;EDP COMERCIAL;-85,50;Débito;1.114,50
29-01-2026;29-01-2026;TRF CLIENTE LDA;1.200,00;Crédito;1.200,00
""".encode("utf-16")
MBANK = """\
mBank S.A. Bankowość Detaliczna;
#Klient;
JAN KOWALSKI;
#Data operacji;#Opis operacji;#Rachunek;#Kategoria;#Kwota;
2026-01-30;"ZAKUP PRZY UŻYCIU KARTY  ŻABKA";"eKonto 1234 ... 5678";"Żywność";-45,67 PLN;
2026-01-29;"PRZELEW PRZYCHODZĄCY  PRACODAWCA";"eKonto 1234 ... 5678";"Wpływy";2 500,00 PLN;
""".encode("cp1250")
FIO_CZ = """\
"accountId";"2400222222"
"openingBalance";"1000,00"
"closingBalance";"3454,33"

ID pohybu;Datum;Objem;Měna;Protiúčet;Název protiúčtu;Kód banky;VS;Zpráva pro příjemce;Typ
26962199069;30.01.2026;-45,67;CZK;;"ALBERT PRAHA";;;Nákup;"Platba kartou"
26962199070;31.01.2026;2500,00;CZK;1234567890;Firma s.r.o.;0300;2026001;Výplata;"Bezhotovostní příjem"
""".encode()
OTP_HU = """\
"Számlaszám";"Terhelés/Jóváírás jelző";"Összeg";"Devizanem";"Könyvelés dátuma";"Értéknap";"Egyenleg";"Ellenoldali név";"Közlemény"
"11700000";"T";"4567";"HUF";"20260130";"20260130";"95433";"TESCO";"Vásárlás"
"11700000";"J";"250000";"HUF";"20260131";"20260131";"345433";"MUNKAÁLTATÓ KFT";"Munkabér"
""".encode("cp1250")
UBS = """\
Numéro de compte:;0123 45678901.23;
IBAN:;CH12 0012 3012 3456 7890 1;
Solde initial:;1000.00;

Date de transaction;Heure;Date de comptabilisation;Date de valeur;Monnaie;Débit;Crédit;Sous-montant;Solde;N° de transaction;Description1;Description2
2026-01-30;;2026-01-30;2026-01-30;CHF;-45.65;;;954.35;T1;"Coop";"Paiement carte"
2026-01-29;;2026-01-29;2026-01-29;CHF;;1'000.00;;1'000.00;T2;"Client SA";"Virement"
""".encode("utf-8-sig")
POSTFINANCE = """\
Datum von:;="01.01.2026"
Buchungsart:;="Alle Buchungen"
Konto:;="CH1234567890"
Währung:;="CHF"

Datum;Avisierungstext;Gutschrift in CHF;Lastschrift in CHF;Valuta;Saldo in CHF
30.01.2026;"KAUF/DIENSTLEISTUNG MIGROS";;-45.65;30.01.2026;954.35
29.01.2026;"GUTSCHRIFT KUNDE";1'000.00;;29.01.2026;1'000.00

Disclaimer:
Der Dokumentinhalt wurde durch Filtereinstellungen der Kundin generiert.
""".encode("cp1252")
SWEDBANK = """\
* Transaktioner Period 2026-01-01 - 2026-01-31
Radnummer,Clearingnummer,Kontonummer,Produkt,Valuta,Bokföringsdag,Transaktionsdag,Valutadag,Referens,Beskrivning,Belopp,Bokfört saldo
1,8327,123456789,Privatkonto,SEK,2026-01-30,2026-01-29,2026-01-30,ICA,ICA SUPERMARKET,-450.67,9549.33
2,8327,123456789,Privatkonto,SEK,2026-01-29,2026-01-28,2026-01-29,LÖN,ARBETSGIVARE AB,10000.00,10000.00
""".encode("cp1252")
DANSKE = """\
"Dato";"Tekst";"Beløb";"Saldo";"Status";"Afstemt"
"29.01.2026";"Løn";"10.000,00";"10.000,00";"Udført";"Nej"
"30.01.2026";"Netto";"-450,67";"9.549,33";"Udført";"Nej"
""".encode("cp1252")
DNB = """\
"Dato";"Forklaring";"Rentedato";"Ut fra konto";"Inn på konto"
"30.01.2026";"Varekjøp REMA 1000";"30.01.2026";"450,67";""
"29.01.2026";"Lønn";"29.01.2026";"";"10000,00"
""".encode()
NORDEA_FI = """\
Kirjauspäivä;Arvopäivä;Maksupäivä;Määrä;Saaja/Maksaja;Tilinumero;BIC;Tapahtuma;Viite;Viesti
30.01.2026;30.01.2026;30.01.2026;-45,67;K-MARKET;;;Korttiosto;;
29.01.2026;29.01.2026;29.01.2026;+2500,00;TYÖNANTAJA OY;;;Palkka;1234;
""".encode()
SWEDBANK_EE = """\
"Kliendi konto","Reatüüp","Kuupäev","Saaja/Maksja","Selgitus","Summa","Valuuta","Deebet/Kreedit","Arhiveerimistunnus"
"EE12","20","30.01.2026","RIMI","Ost","45.67","EUR","D","2026013000001"
"EE12","20","29.01.2026","FIRMA OU","Palk","2500.00","EUR","K","2026012900002"
""".encode()
LLOYDS = b"""\
Transaction Date,Transaction Type,Sort Code,Account Number,Transaction Description,Debit Amount,Credit Amount,Balance
30/01/2026,DEB,'30-00-00,12345678,TESCO STORES,45.67,,954.33
29/01/2026,FPI,'30-00-00,12345678,ACME LTD,,1000.00,1000.00
"""
NATWEST = b"""\
Date, Type, Description, Value, Balance, Account Name, Account Number
30 Jan 2026,POS,"'1234 29JAN26 , TESCO",-45.67,954.33,"'JOE BLOGGS","'600000-12345678",
29 Jan 2026,BAC,"'ACME LTD",1000.00,1000.00,"'JOE BLOGGS","'600000-12345678",
"""
BARCLAYS = b"""\
Number,Date,Account,Amount,Subcategory,Memo
\t,30/01/2026,20-00-00 12345678,-45.67,PAYMENT,TESCO STORES
\t,29/01/2026,20-00-00 12345678,1000.00,COUNTERCREDIT,ACME
"""
NATIONWIDE = """\
"Account Name:","FlexAccount ****12345"
"Account Balance:","£954.33"
"Available Balance: ","£954.33"

"Date","Transaction type","Description","Paid out","Paid in","Balance"
"29 Jan 2026","Bank credit","ACME LTD","","£1000.00","£1000.00"
"30 Jan 2026","Visa purchase","TESCO","£45.67","","£954.33"
""".encode("cp1252")
HSBC_NO_HEADER = b"""\
30/01/2026,TESCO STORES 1234,-45.67
29/01/2026,CR ACME LTD,"1,000.00"
"""
REVOLUT = b"""\
Type,Product,Started Date,Completed Date,Description,Amount,Fee,Currency,State,Balance
CARD_PAYMENT,Current,2026-01-28 10:00:00,2026-01-29 11:00:00,Tesco,-45.67,0.00,GBP,COMPLETED,954.33
CARD_PAYMENT,Current,2026-01-29 10:00:00,,Uber,-9.00,0.00,GBP,PENDING,
TOPUP,Current,2026-01-30 10:00:00,2026-01-30 10:00:01,Payment from Joe,100.00,0.00,GBP,COMPLETED,1054.33
"""
WISE = b"""\
"TransferWise ID",Date,"Date Time",Amount,Currency,Description,"Payment Reference","Running Balance","Exchange From","Exchange To","Exchange Rate","Payer Name","Payee Name","Payee Account Number",Merchant,"Card Last Four Digits",Note,"Total fees"
CARD-1,30-01-2026,"30-01-2026 10:00:00.000",-45.67,EUR,"Card transaction",,954.33,,,,,,,Rewe,1234,,0
TRANSFER-2,29-01-2026,"29-01-2026 10:00:00.000",1000.00,EUR,"Received money",INV-1,1000.00,,,,ACME,,,,,,0
"""
ANZ_NO_HEADER = b"""\
30/01/2026,-45.67,EFTPOS WOOLWORTHS 1234
29/01/2026,1000.00,PAY/SALARY ACME
"""


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (DKB, ["-85.50", "1200.00"]),
        (DKB_NEW, ["-23.99", "1000"]),
        (ING_DE, ["-85.50", "1200.00"]),
        (COMDIRECT, ["-44.99", "1250.00"]),
        (SPARKASSE_CAMT, ["-900.00", "2500.00"]),
        (VOLKSBANK_LETTER, ["-85.50", "1200.00"]),
        (DEUTSCHE_BANK, ["-85.50", "1200.00"]),
        (N26, ["-23.99", "1200.0"]),
        (ING_NL, ["-45.67", "2500.00"]),
        (ABN_AMRO, ["-45.67", "2500.00"]),
        (KBC, ["-45.67", "500.00"]),
        (BNP, ["-85.50", "1200.00"]),
        (CREDIT_AGRICOLE, ["-85.50", "1200.00"]),
        (BOURSORAMA, ["-45.67", "2500.00"]),
        (SANTANDER_ES, ["-85.50", "1200.00"]),
        (INTESA, ["-85.50", "1200.00"]),
        (MILLENNIUM_PT, ["-85.50", "1200.00"]),
        (MBANK, ["-45.67", "2500.00"]),
        (FIO_CZ, ["-45.67", "2500.00"]),
        (OTP_HU, ["-4567", "250000"]),
        (UBS, ["-45.65", "1000.00"]),
        (POSTFINANCE, ["-45.65", "1000.00"]),
        (SWEDBANK, ["-450.67", "10000.00"]),
        (DANSKE, ["10000.00", "-450.67"]),
        (DNB, ["-450.67", "10000.00"]),
        (NORDEA_FI, ["-45.67", "2500.00"]),
        (SWEDBANK_EE, ["-45.67", "2500.00"]),
        (LLOYDS, ["-45.67", "1000.00"]),
        (NATWEST, ["-45.67", "1000.00"]),
        (BARCLAYS, ["-45.67", "1000.00"]),
        (NATIONWIDE, ["1000.00", "-45.67"]),
        (HSBC_NO_HEADER, ["-45.67", "1000.00"]),
        (REVOLUT, ["-45.67", "100.00"]),
        (WISE, ["-45.67", "1000.00"]),
        (ANZ_NO_HEADER, ["-45.67", "1000.00"]),
    ],
    ids=lambda value: value[:50].decode("cp1252", "replace") if isinstance(value, bytes) else "",
)
def test_each_layout_yields_its_signed_amounts(data, expected):
    assert amounts(parse_statement(data)) == expected
