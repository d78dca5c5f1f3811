"""The words banks put over their columns, by what the column holds; without accents.

One list per role, several languages: English, German, French, Spanish, Italian, Dutch,
Portuguese, Czech, Slovak, Polish, Hungarian, the Nordic and Baltic ones, Romanian, Turkish.
A phrase may stand in several lists; what the column holds then decides.
"""

from __future__ import annotations

from typing import Final

PHRASES_BY_ROLE: Final = {
    "date": """
        date; transaction date; trans date; tran date; txn date; posting date; posted date; post
        date; posted; posted on; booking date; booked date; booked; date posted; date booked; entry
        date; process date; processed date; date processed; processed; effective date; activity
        date; created; created at; created on; created utc; created date; date created; completed
        date; date completed; completed; operation date; date of transaction; date time; datetime;
        date utc; transaction date time; timestamp; day; trade date; accounting date; date and time;
        clearing date; cleared date; transaction posted date; datum; buchungstag; buchungsdatum;
        buchung; belegdatum; umsatzdatum; transaktionsdatum; kaufdatum; auftragsdatum; datum der
        buchung; umsatztag; abrechnungsdatum; date operation; date de l operation; date d operation;
        date comptable; date ecriture; date de comptabilisation; date comptabilisation; dateop; date
        de transaction; date op; date transaction; date de l ecriture; date d ecriture; jour; date
        mouvement; fecha; fecha operacion; fecha de operacion; f operacion; f contable; fecha
        contable; fecha movimiento; fecha de la operacion; fecha transaccion; fecha de transaccion;
        f oper; fecha del movimiento; fecha y hora; data; data contabile; data operazione; data
        registrazione; data movimento; data op; data della transazione; data transazione; data di
        registrazione; data esecuzione; boekdatum; boekingsdatum; transactiedatum; datum
        verrichting; verrichtingsdatum; uitvoeringsdatum; datum transactie; boeking; datum boeking;
        data mov; data do movimento; data lancamento; data de lancamento; data operacao; data da
        operacao; data da transacao; data transacao; data do lancamento; data hora; datum
        zauctovani; datum provedeni; datum transakce; datum zuctovani; zauctovano dne; datum
        operace; datum pohybu; datum uctovani; provedeno; datum realizace; datum zaknihovani; datum
        zauctovania; datum transakcie; datum uctovania; datum spracovania; datum realizacie; data
        operacji; data transakcji; data ksiegowania; data zaksiegowania; data wykonania; konyveles
        datuma; konyvelesi datum; konyveles napja; tranzakcio datuma; tranzakcio napja; tranzakcio
        ideje; teljesites napja; teljesites datuma; konyvelt datum; tranzakcio idopontja;
        bokforingsdag; bokforingsdatum; transaktionsdag; bokford; reskontradatum; dato;
        bogforingsdato; bogfort; posteringsdato; bokforingsdato; bokfort dato; bokfort; utfort dato;
        transaksjonsdato; bokforing; betalingsdato; transaktionsdato; bokf dag; pvm; paivamaara;
        kirjauspaiva; maksupaiva; tapahtumapaiva; kirjauspvm; data tranzactiei; data operatiunii;
        data inregistrarii; data procesarii; data tranzactie; kuupaev; datums; data operacijos;
        tarih; islem tarihi; datum knjizenja; datum transakcije; datum izvrsenja; datum knjizbe;
        datum promjene""",
    "value_date": """
        value date; value dt; valuta; valutadatum; valuta datum; wertstellung; wert;
        wertstellungsdatum; wertstellung valuta; valutatag; datum valuta; wertdatum;
        ausfuhrungsdatum; tag der wertstellung; date valeur; date de valeur; dateval; valeur; date
        val; date d execution; fecha valor; f valor; fecha de valor; fecha liquidacion; f liq; data
        valuta; data di valuta; data valor; data valor movimento; rentedatum; valutadag; valutadato;
        valuteringsdag; datum valuty; valuta date; data waluty; erteknap; ertek datum; datum valute;
        rentedato; valor; valor tarihi; arvopaiva; arvopvm; data valutei; started date; interest
        date; available on; available on utc; execution date; settlement date; effective interest
        date""",
    "amount": """
        amount; transaction amount; amt; net amount; net; value; sum; total; amount of transaction;
        amount in account currency; account amount; billing amount; booked amount; posting amount;
        debit credit amount; total amount; amount net; credit debit amount; trans amount; txn
        amount; betrag; umsatz; umsatzbetrag; buchungsbetrag; zahlungsbetrag; betrag in
        kontowahrung; summe; betrag in wahrung; einzelbetrag; betrag netto; netto; umsatz in; betrag
        in; nettobetrag; montant; montant operation; montant de l operation; montant net; montant
        en; somme; importe; importe movimiento; importe operacion; importe de la operacion;
        cantidad; monto; imp; importo; importo operazione; ammontare; importo in; importo movimento;
        bedrag; mutatiebedrag; bedrag transactie; transactiebedrag; bedrag in; hoogte bedrag;
        montante; importancia; valor movimento; valor do movimento; montante movimento; quantia;
        castka; castka transakce; castka v mene uctu; objem; suma; zauctovana castka; obrat; castka
        obratu; suma transakcie; suma v mene uctu; ciastka; kwota; kwota operacji; kwota transakcji;
        kwota w walucie rachunku; kwota ksiegowania; osszeg; tranzakcio osszege; terheles jovairas;
        konyvelt osszeg; konyvelesi osszeg; forgalom; tranzakcio osszege a szamla devizanemeben;
        osszeg a szamla devizanemeben; belopp; bokfort belopp; belob; belop; summa;
        transaktionsbelopp; maara; saamine maksmine; iznos; znesek; tutar; islem tutari; summa eur;
        maara euroa; belob i; valor""",
    "debit": """
        debit; debits; debit amount; debit amt; amount debit; amount debited; debited amount; dr;
        withdrawal; withdrawals; withdrawal amount; withdrawal amt; withdrawals dr; withdrawal dr;
        debit dr; paid out; money out; out; outgoing; outgoings; outflow; amount out; spent;
        payments; payment; charges; charge; paid out amount; debit value; transaction debit; dr
        amount; expense; expenses; total debit; debits out; cash out; amount withdrawn; moneyout;
        debit withdrawal; debit out; soll; belastung; belastungen; ausgang; ausgaben; abgang;
        ausgabe; lastschrift; belastungsbetrag; sortie; sorties; depense; depenses; montant debit;
        montant au debit; montant debiteur; cargo; cargos; debe; adeudo; adeudos; gasto; gastos;
        importe cargo; pagos; retiro; retiros; dare; addebito; addebiti; uscite; uscita; importo
        addebito; importo dare; addebiti in; af; debet; uitgaven; uit; afschrijving; afschrijvingen;
        bedrag af; debitbedrag; debito; debitos; saida; saidas; montante a debito; valor debito;
        despesa; vydej; vydaje; na vrub; odchozi; odchozi platba; castka debet; castka na vrub;
        vydavky; odpis; obciazenia; obciazenie; wydatki; wyplaty; winien; kwota obciazenia;
        obciazenie konta; terheles; kiadas; terheles osszege; terhelt osszeg; uttag; utgaende; ut;
        utgift; utbetalning; udgift; ud; haevet; ut av konto; ut fra konto; uttak; belastet;
        utgifter; isplata; isplate; na teret; duguje; breme; odliv; borc; deebet; debets; debetas;
        iesire; suma debit""",
    "credit": """
        credit; credits; credit amount; credit amt; amount credit; amount credited; credited amount;
        cr; deposit; deposits; deposit amount; deposit amt; deposits cr; deposit cr; credit cr; paid
        in; money in; in; incoming; inflow; amount in; received; receipts; payments received; paid
        in amount; credit value; transaction credit; cr amount; income; total credit; credits in;
        cash in; amount deposited; moneyin; credit deposit; credit in; haben; gutschrift;
        gutschriften; eingang; einnahmen; zugang; einnahme; gutschriftsbetrag; entree; entrees;
        recette; recettes; montant credit; montant au credit; montant crediteur; abono; abonos;
        haber; ingreso; ingresos; importe abono; deposito; depositos; avere; accredito; accrediti;
        entrate; entrata; importo accredito; importo avere; accrediti in; bij; inkomsten;
        bijschrijving; bijschrijvingen; bedrag bij; creditbedrag; credito; creditos; entrada;
        entradas; montante a credito; valor credito; receita; prijem; prijmy; ve prospech; prichozi;
        prichozi platba; kredit; castka kredit; castka ve prospech; v prospech; pripis; uznania;
        uznanie; wplywy; wplaty; ma; kwota uznania; uznanie konta; jovairas; bevetel; jovairas
        osszege; jovairt osszeg; insattning; inkommande; inkomst; inbetalning; indtaegt; ind;
        indsat; inn pa konto; inn; innskudd; godskrevet; inn til konto; inntekter; uplata; uplate; u
        korist; potrazuje; dobro; priliv; alacak; kreedit; kredits; kreditas; intrare;
        suma credit""",
    "balance": """
        balance; running balance; running bal; account balance; ledger balance; closing balance;
        bal; ending balance; book balance; current balance; balance after; balance amount; balance
        after transaction; end balance; new balance; cleared balance; running ledger balance; posted
        balance; available balance; saldo; kontostand; saldo nach buchung; neuer saldo; saldo neu;
        kontostand nach buchung; endsaldo; saldo na trn; saldo na boeking; saldo na mutatie; saldo
        na transactie; saldo na verrichting; eindsaldo; solde; solde apres operation; solde
        comptable; nouveau solde; solde progressif; solde final; saldo disponible; saldo contable;
        saldo final; saldo posterior; saldo tras movimiento; saldo actual; saldo contabile; saldo
        progressivo; saldo disponibile; saldo finale; saldo contabilistico; saldo apos movimento;
        saldo apos; saldo disponivel; saldo contab; zustatek; zostatok; zustatek po transakci;
        zostatok po transakcii; konecny zustatek; ucetni zustatek; saldo po operacji; saldo po
        transakcji; saldo koncowe; saldo rachunku; egyenleg; konyvelt egyenleg; tranzakcio utani
        egyenleg; egyenleg a tranzakcio utan; behallning; bokfort saldo; disponibelt saldo; saldo
        efter; stanje; sold; sold final; bakiye; jaak; saldo konto; novo stanje; saldo efter
        transaktion""",
    "indicator": """
        credit debit; debit credit; cr dr; dr cr; d c; c d; debit or credit; credit or debit; type;
        sign; credit debit indicator; debit credit indicator; creditdebitindicator; cdt dbt; dc; cd;
        crdr; drcr; transaction type; direction; debit credit flag; dc indicator; indicator;
        transaction direction; af bij; bij af; soll haben; s h; haben soll; soll haben kennzeichen;
        kennzeichen; s h kennung; sens; debit ou credit; cargo abono; debe haber; dare avere; segno;
        tipo; sinal; bevetel kiadas; irany; terheles jovairas jelzo; smer; smer platby; typ
        transakcji; strona; d k; wn ma; in out; plus minus; ein ausgang; richtung; typ; art; debito
        credito; tipo movimento; tipo de movimento; deebet kreedit; details""",
    "description": """
        description; transaction description; transaction details; narrative; memo;
        particulars; payment details; remittance information; purpose; text; remarks; message; note;
        notes; comment; original description; statement description; transaction; transaction
        narrative; narration; payment purpose; extended description; description 1; description 2;
        description 3; desc; detail; additional information; extended details; reference text;
        subject; additional description; message for payee; message for me; long description; full
        description; memo description; transaction memo; bank description; narrative 1; narrative 2;
        narrative 3; details 1; details 2; details 3; transaction text; details of payment;
        verwendungszweck; buchungstext; vorgang; buchungsdetails; buchungsinformationen; umsatztext;
        beschreibung; mitteilung; vorgang verwendungszweck; zahlungszweck; verwendungszweck 1;
        bemerkung; verwendungszweck 2; betreff; avisierungstext; buchungsinfo; mitteilungen; details
        der transaktion; zweck; beschreibung 1; beschreibung 2; beschreibung 3; verwendung;
        kommentar; libelle; libelle operation; libelle de l operation; communication; motif;
        communications; texte; libelle simplifie; libelle complementaire; informations
        complementaires; nature de l operation; libelle de la transaction; description de l
        operation; detail de l operation; intitule; concepto; descripcion; detalle; movimiento;
        observaciones; mas datos; concepto ampliado; descripcion ampliada; comentario; referencia
        concepto; informacion adicional; concepto movimiento; descrizione; causale; descrizione
        operazione; descrizione estesa; operazione; dettagli; note operazione; causale descrizione;
        descrizione movimento; dettaglio; omschrijving; mededeling; mededelingen; naam omschrijving;
        vrije mededeling; betalingsomschrijving; omschrijving 1; omschrijving 2; omschrijving 3;
        detail van de verrichting; detail van de beweging; descricao; descritivo; historico;
        descricao do movimento; descricao movimento; observacoes; popis; popis transakce; zprava pro
        prijemce; poznamka; sprava pre prijimatela; ucel platby; zprava; popis operace; popis
        platby; informacia pre prijemcu; detaily; nazev transakce; opis; opis operacji; opis
        transakcji; tytul; tytulem; szczegoly transakcji; tytul operacji; tytul przelewu; tytul
        platnosci; szczegoly; rodzaj opis; kozlemeny; megjegyzes; leiras; megnevezes; tranzakcio
        leirasa; tranzakcio megnevezese; konyvelesi tetel; beskrivning; specifikation; transaktion;
        meddelande; rubrik; tekst; beskrivelse; forklaring; meddelelse; melding; posteringstekst;
        viesti; selitys; selite; viesti selite; transaktionstext; detalii; explicatii; descriere;
        detalii tranzactie; aciklama; svrha; namen; opis placanja; selgitus; svrha placanja;
        detalas; merksoniai; mokejimo paskirtis; maksajuma merkis; skaidrojums; client note""",
    "counterparty": """
        payee; name; counterparty; counterparty name; beneficiary; beneficiary name; merchant;
        merchant name; vendor; payer; recipient; recipient name; to from; from to; paid to; name of
        counterparty; payee name; counteraccount name; partner name; partner; beneficiary or payer;
        payer or payee; sender or recipient; merchant description; other party; other party name;
        target name; source name; payee payer; auftraggeber empfanger; auftraggeber begunstigter;
        beguenstigter zahlungspflichtiger; begunstigter; begunstigter zahlungspflichtiger;
        begunstigter auftraggeber; empfanger; zahlungsempfanger; auftraggeber; name
        zahlungsbeteiligter; zahlungspflichtiger; zahlungspflichtige r; zahlungsempfanger in;
        zahlungspflichtiger in; empfanger auftraggeber; zahlungsempfanger zahlungspflichtiger;
        beguenstigter; zahlungsbeteiligter; name des partners; partnername; auftraggeber
        zahlungsempfanger; empfanger name; beneficiaire; contrepartie; nom; tiers; nom de la
        contrepartie; nom du tiers; donneur d ordre; nom contrepartie; nom de la contrepartie
        beneficiaire; commercant; beneficiario; ordenante; destinatario; beneficiario ordenante;
        ordenante beneficiario; nombre; comercio; controparte; ordinante; beneficiario ordinante;
        nome; naam tegenpartij; tegenpartij; naam; naam tegenrekening; naam begunstigde; tegenpartij
        naam; begunstigde; contraparte; nome beneficiario; nazev protiuctu; jmeno; protistrana;
        nazev protistrany; nazev; jmeno protistrany; nazov protistrany; nazov protiuctu; meno;
        obchodnik; partner nev; nadawca odbiorca; kontrahent; nazwa kontrahenta; odbiorca; odbiorca
        zleceniodawca; nadawca; nazwa nadawcy odbiorcy; dane kontrahenta; zleceniodawca; partner
        neve; kedvezmenyezett; ellenoldali nev; kedvezmenyezett neve; partner megnevezese; payee
        neve; mottagare; avsandare; mottagare avsandare; modtager; afsender; mottaker; avsender;
        navn; namn; saaja; saaja maksaja; maksaja; saaja maksajan nimi; beneficiar; platitor;
        primatelj; prejemnik; platnik; saaja maksja nimi; gavejas; saņemejs; ordonator beneficiar;
        store name""",
    "reference": """
        reference; ref; reference number; ref no; reference no; customer reference; payment
        reference; cheque; check number; check or slip; check no; cheque number; cheque no; check;
        chq ref; chq no; ref number; chq ref no; serial number; customer ref; payment ref; check
        num; check or slip no; end to end id; invoice; bank serial no; instrument no; ref chq no;
        cheque ref no; your reference; client reference; check slip; kundenreferenz; referenz;
        kundenreferenz end to end; zahlungsreferenz; ende zu ende referenz; belegnummer;
        referenznummer; end to end referenz; reference client; reference operation; no de cheque;
        numero de cheque; reference du paiement; reference de paiement; referencia; referencia 1;
        numero de referencia; n documento; num documento; documento; no referencia; riferimento;
        numero assegno; riferimento operazione; kenmerk; betalingskenmerk; transactiereferentie;
        referentie; numero documento; no documento; doc; num doc; variabilni symbol; variable
        symbol; variable symbol 1; vs; variabilny symbol; referencni cislo; reference platby; numer
        referencyjny; referencje; hivatkozas; ugyfel hivatkozas; viite; viitenumero; ocr; kid;
        referens; referanse; referinta; poziv na broj; sklic; viitenumber; kundereferanse; bilag;
        reference id""",
    "bank_id": """
        transaction id; id; transaction number; transaction reference number; fitid; unique id;
        transaction no; trans id; transaction ref; transaction reference; bank reference;
        transactionid; external id; txn id; transaction ref no; bank ref; trn ref no; tran id;
        booking id; transaction identifier; entry reference; operation id; uuid; transaktionsnummer;
        transaktions id; umsatz id; buchungsreferenz; bankreferenz; buchungsnummer; transaktionsid;
        no de transaction; numero de transaction; identifiant; id operation; reference bancaire;
        numero operation; id de transaccion; numero de operacion; id transaccion; id operazione;
        numero operazione; id transazione; volgnr; volgnummer; transferwise id; id transakce; id
        pohybu; id operace; cislo transakce; identifikacia transakcie; id transakcji; numer
        transakcji; tranzakcio azonosito; tranzakcio azonositoja; banki tranzakcio azonosito;
        arkistointitunnus; archivierungskennung; verifikationsnummer; transaksjons id; transaktions
        nr; arkivreferanse; id tranzactie; numar tranzactie; arhiveerimistunnus; n de transaction; n
        transaction; n operation; n de operacion""",
    "currency": """
        currency; ccy; cur; curr; currency code; account currency; transaction currency; amount
        currency; waehrung; wahrung; whg; kontowahrung; devise; monn; monnaie; divisa; moneda; div;
        valuta; moeda; munt; muntsoort; mena; mena uctu; waluta; waluta rachunku; devizanem; deviza;
        tranzakcio devizaneme; szamla devizaneme; valuuta; valuta kod; valuta kode; para birimi;
        umsatz wahrung; betrag wahrung""",
    "account": """
        account; account number; account no; own account; account id; account iban; iban bban; iban;
        account name; auftragskonto; iban auftragskonto; kontonummer; konto; bezeichnung
        auftragskonto; eigenes konto; konto nr; compte; numero de compte; compte numero; no de
        compte; cuenta; numero de cuenta; conto; numero conto; rekening; rekeningnummer; eigen
        rekening; iban eigen rekening; conta; numero da conta; ucet; cislo uctu; rachunek; numer
        rachunku; nr rachunku; szamlaszam; szamla szama; kontonr; tilinumero; cont""",
    "status": """
        status; state; transaction status; payment status; stav; statut; estado; stato;
        umsatzstatus; tila; allapot; buchungsstatus; etat; olek""",
    "other": """
        fee; fees; tax; vat; category; subcategory; class; time; zone; time zone; exchange rate;
        rate; original amount; gross; foreign amount; foreign currency; local amount; local
        currency; amount foreign currency; credit limit; original currency; card no; card number;
        debit account; credit account; debit account number; info; glaeubiger id; credit account
        number; gebuhr; gebuhren; fremde gebuhren; frais; comision; commissione; kosten; kategorie;
        categorie; categoria; blz; bic; mandatsreferenz; lastschrift ursprungsbetrag; transfer
        amount; instructed amount; payee account; tegenrekening; tegenrekening iban bban;
        counteraccount; cislo protiuctu; protiucet; bank code; auslagenersatz rucklastschrift;
        original betrag; ursprungsbetrag; urspr betrag; koers; kurs; wechselkurs; counterparty
        account; kontonummer iban; iban tegenpartij; numer rachunku kontrahenta; rachunek
        kontrahenta; partner szamlaszama; total value; reward; points; cashback; sort code;
        kategoria; poplatek; type foreign currency; transaction time; buchungszeit; saldo wahrung;
        bic tegenpartij""",
}
