"""PDFs of documents: what they say, in which language, and that nothing but text comes of a text."""

import hashlib
import io
import json
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pypdf import PdfReader

from config.env import BASE_DIR
from invoicing.adapters import pdf as adapter
from invoicing.adapters.document import document_data
from invoicing.adapters.figures import Figures, locale_of
from invoicing.adapters.layouts import Layout, layout_of, layout_with
from invoicing.adapters.pdf import LayoutRefused, make_pdf, make_pictures, page_count
from invoicing.adapters.sample import sample
from invoicing.adapters.words import words_of
from invoicing.models import Invoice, LegalEntity
from tests.factories import TaxRateFactory, post
from tests.invoicing.papers import many_lines, paper

pytestmark = pytest.mark.django_db
AT = datetime(2026, 2, 1, 9, 0, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n"


def data_of(invoice: Invoice, layout: Layout | None = None) -> dict[str, Any]:
    layout = layout or layout_of(invoice.legal_entity, language=invoice.language or "en")
    return document_data(
        invoice, layout, lines=list(invoice.lines.order_by("line_number")), taxes=list(invoice.taxes.all())
    )


def made(invoice: Invoice) -> bytes:
    layout = layout_of(invoice.legal_entity, language=invoice.language or "en")
    return make_pdf(layout, data_of(invoice, layout), at=AT)


def said(pdf: bytes) -> str:
    """Its text in the order in which it stands, spaces as one."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split())


def posted(**fields: Any) -> Invoice:
    invoice = paper(**fields)
    post(invoice)
    return Invoice.objects.select_related("customer", "currency", "credited_invoice").get(pk=invoice.pk)


def test_an_invoice_says_who_what_and_how_much() -> None:
    text = said(made(posted(message="Thank you for your business.")))
    for part in (
        "Nordlicht Telekom GmbH · Speicherstraße 12 · 20457 Hamburg · Germany",
        "Acme Networks Ltd",
        "London EC1A 9HF",
        "Invoice INV-000001",
        "Jan 1, 2026 – Jan 31, 2026",
        "Calls to Germany",
        "1,234.5 min",
        "4.2 per 1,000 message",
        "0.0000001453 GB",
        "Usage of December 2025",
        "Code WELCOME10",
        # 23.46 + 7.75 = 31.21; 31.21 + 105.00 = 136.21
        "Subtotal Calls 31.21",
        "Subtotal Voice 136.21",
        # 136.21 + 0.00 + 30.00 - 16.62 = 149.59; x 19 % = 28.4221, so 28.42
        "VAT 19 % 19 % 149.59 28.42 178.01",
        "Total EUR 178.01",
        "Please pay EUR 178.01 by Mar 3, 2026, stating INV-000001.",
        "IBAN DE89 3704 0044 0532 0130 00",
        "Thank you for your business.",
        "Amtsgericht Hamburg, HRB 12345",
        "VAT number DE123456789",
        "Page 1 of",
    ):
        assert part in text, part
    assert "DRAFT" not in text


def test_a_german_invoice_is_german_in_words_and_figures() -> None:
    text = said(made(posted(language="de")))
    for part in (
        "Rechnung INV-000001",
        "01.01.2026 – 31.01.2026",
        "1.234,5 min",
        "Nutzung im Dezember 2025",
        "Zwischensumme Voice 136,21",
        "Gesamtbetrag 178,01 EUR",
        "Bitte überweisen Sie 178,01 EUR bis zum 03.03.2026 unter Angabe von INV-000001.",
        "DE123456789",
        "Seite 1 von",
    ):
        assert part in text, part


@pytest.mark.parametrize(
    ("language", "heading", "total"),
    [
        ("de-CH", "Rechnung", "CHF 1’234.50"),
        ("de_AT", "Rechnung", "CHF 1.234,50"),
        ("en-GB", "Invoice", "CHF 1,234.50"),
        # No words in French, nor of a language that does not exist: all of it is English.
        ("fr", "Invoice", "CHF 1,234.50"),
        ("xx-nonsense!", "Invoice", "CHF 1,234.50"),
        ("", "Invoice", "CHF 1,234.50"),
    ],
)
def test_a_region_writes_figures_its_own_way_and_an_unknown_language_is_english(
    language: str, heading: str, total: str
) -> None:
    exempt = TaxRateFactory(name="Exempt", percent=Decimal(0))
    invoice = posted(
        language=language[:10], currency="CHF", tax_rate=exempt, lines=[{"product_name": "Line", "amount": "1234.50"}]
    )
    data = data_of(invoice)
    assert data["name"] == f"{heading} INV-000001"
    assert data["total"].replace("\xa0", " ") == total


@pytest.mark.parametrize(
    ("currency", "amount", "shown"),
    [("JPY", "14808", "14,808"), ("EUR", "14808", "14,808.00"), ("KWD", "1.5", "1.500")],
)
def test_amounts_have_the_decimals_of_their_currency(currency: str, amount: str, shown: str) -> None:
    exempt = TaxRateFactory(name="Exempt", percent=Decimal(0))
    invoice = posted(currency=currency, tax_rate=exempt, lines=[{"product_name": "Line", "amount": amount}])
    assert data_of(invoice)["net"] == shown


def test_figures_of_38_digits_keep_every_digit() -> None:
    figures = Figures.of(locale_of("de"), currency="EUR", decimals=2)
    quantity = Decimal("12345678901234567890.123456789012345678")
    assert figures.number(quantity) == "12.345.678.901.234.567.890,123456789012345678"
    assert figures.number(Decimal("100.000")) == "100"
    assert figures.number(Decimal("-0.10")) == "-0,1"


def test_a_draft_says_on_every_page_that_it_is_one() -> None:
    pages = PdfReader(io.BytesIO(made(paper(lines=many_lines(60))))).pages
    assert len(pages) > 1
    assert all("DRAFT" in page.extract_text() for page in pages)


def test_a_credit_note_names_the_invoice_and_the_reason_and_asks_for_nothing() -> None:
    rate = TaxRateFactory(name="VAT 19 %", percent=Decimal(19))
    credited = posted(tax_rate=rate)
    note = posted(
        kind="CREDIT_NOTE",
        tax_rate=rate,
        credited_invoice=credited,
        customer=credited.customer,
        reason="Calls of 3 January were counted twice.",
        lines=[{"product_name": "Calls", "quantity": "-100", "unit_price": "0.02", "amount": "-2.00"}],
    )
    text = said(made(note))
    assert "Credit note" in text
    assert f"This credit note is for our invoice {credited.number} of Feb 1, 2026." in text
    assert "Reason: Calls of 3 January were counted twice." in text
    # 2.00 x 19 % = 0.38
    assert "We credit EUR 2.38 to your account." in text
    assert "Please pay" not in text
    assert "IBAN" not in text


def test_reverse_charge_is_said_beside_the_tax() -> None:
    rate = TaxRateFactory(name="Reverse charge", percent=Decimal(0))
    text = said(made(posted(tax_rate=rate, tax_note="The customer owes the tax (Article 196, 2006/112/EC).")))
    assert "The customer owes the tax (Article 196, 2006/112/EC)." in text


def test_two_thousand_lines_go_on_over_many_pages_with_a_head_on_each() -> None:
    pdf = made(posted(lines=many_lines(2_000)))
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]
    assert page_count(pdf) == len(pages) > 40
    assert f"Page {len(pages)} of {len(pages)}" in " ".join(pages[-1].split())
    for page in pages[1:]:
        assert "Invoice INV-000001" in page
        assert "Description" in page
    # (1 + 2000) x 2000 / 2 = 2,001,000 cents
    assert "20,010.00" in pages[-1]
    numbers = {word for page in pages for word in page.split()}
    assert {str(number) for number in range(1, 2_001)} <= numbers


HOSTILE = [
    '#panic("x")',
    "*bold* _it_ $x$ `raw` = head",
    "</script><b>x</b>",
    "\\u{202e}",
    '"); #read("/etc/passwd")',
    "@ref <label> // comment /* more",
    '#include "x.typ" #sys.inputs',
    "{number} {0} {words}",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_is_read_as_markup(text: str) -> None:
    line = {"product_name": text, "product_group": text, "product_line": f"{text}!", "region": text, "amount": "1.00",
            "coupon_code": text[:50], "unit": text[:50], "usage_type": text, "description": f"{text}?"}  # fmt: skip
    party = ("customer_name", "customer_address", "customer_vat_number", "seller_name", "seller_address",
             "seller_vat_number", "seller_registration", "payment_details", "reason", "message")  # fmt: skip
    invoice = posted(lines=[line, line], tax_note=text, **dict.fromkeys(party, text))
    pdf = made(invoice)
    assert "".join(text.split()) in "".join(said(pdf).split())


def test_marks_that_turn_or_hide_text_are_left_out() -> None:
    data = data_of(posted(customer_name="Acme\u202e\u0001 dtL\u2066\n x\u0007"))
    assert data["buyer"]["name"] == "Acme dtL  x"


def test_names_in_other_scripts_have_their_letters() -> None:
    names = "株式会社東京 北京电信 서울통신 Ωμέγα Товар שלום مرحبا ไทย हिन्दी"
    pdf = made(posted(customer_name=names))
    fonts = {font for page in PdfReader(io.BytesIO(pdf)).pages for font in fonts_of(page)}
    for family in ("DroidSansFallback", "NotoSans-Bold", "NotoSansHebrew", "NotoSansArabic", "NotoSansThai",
                   "NotoSansDevanagari"):  # fmt: skip
        assert any(family in font for font in fonts), family
    # For archives, where every character has a letter; a character that no font has does not keep the PDF from being.
    assert b"pdfaid" in pdf
    assert b"pdfaid" not in made(posted(customer_name="Acme \U0001f600"))


def fonts_of(page: Any) -> list[str]:
    return [str(font.get_object()["/BaseFont"]) for font in page["/Resources"]["/Font"].values()]


def test_the_same_document_is_the_same_bytes_in_another_process() -> None:
    invoice = posted()
    layout = layout_of(None, language="en")
    data = data_of(invoice, layout)
    program = (
        "import json,sys,hashlib,datetime,django;django.setup();"
        "from invoicing.adapters.pdf import make_pdf;from invoicing.adapters.layouts import layout_of;"
        "data=json.load(sys.stdin);at=datetime.datetime(2026,2,1,9,tzinfo=datetime.UTC);"
        "print(hashlib.sha256(make_pdf(layout_of(None,language='en'),data,at=at)).hexdigest())"
    )
    other = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(data),
        text=True,
        capture_output=True,
        check=True,
        cwd=BASE_DIR,
    ).stdout.strip()
    mine = make_pdf(layout, data, at=AT)
    assert hashlib.sha256(mine).hexdigest() == other
    assert mine == make_pdf(layout, data, at=AT)
    assert mine != make_pdf(layout, data, at=datetime(2026, 2, 2, tzinfo=UTC))


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("#panic(1)", "panicked with: 1"),
        ("#let x = (", "unclosed delimiter"),
        ('#read("/etc/passwd")', "file not found"),
        ('#read("../../etc/passwd")', "would escape the project root"),
        ('#import "@preview/cetz:0.3.0": canvas', "failed to download package"),
        ("#let f(x) = f(x + 1)\n#f(1)", "maximum function call depth exceeded"),
        ("#data.nothing", "unknown variable: data"),
    ],
)
def test_a_layout_that_cannot_be_set_is_refused_in_words(template: str, reason: str) -> None:
    with pytest.raises(LayoutRefused, match="The layout cannot be set: ") as refused:
        sample().pdf(layout_with(LegalEntity(template=template), language="en", logo=None))
    assert reason in str(refused.value)


def test_a_layout_that_takes_for_ever_is_ended_and_the_next_document_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "SECONDS", 2)
    endless = "#for i in range(100000) { for k in range(100000) { let x = i * k } }"
    with pytest.raises(LayoutRefused, match="it took longer than 2 seconds"):
        sample().pdf(layout_with(LegalEntity(template=endless), language="en", logo=None))
    assert sample().pdf(layout_of(None, language="en")).startswith(b"%PDF")


def test_a_process_that_was_killed_is_replaced() -> None:
    assert sample().pdf(layout_of(None, language="en")).startswith(b"%PDF")
    process = adapter._typesetter._process
    assert process is not None
    process.kill()
    process.wait()
    assert sample().pdf(layout_of(None, language="de")).startswith(b"%PDF")


def test_a_layout_of_ones_own_can_use_the_pieces_and_the_logo() -> None:
    own = '#import "pieces.typ": *\n#let data = json(bytes(sys.inputs.data))\nOurs alone #image(data.seller.logo)'
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><rect width="10" height="10"/></svg>'
    entity = LegalEntity(name="Ours", template=own)
    entity.logo.name = "logos/ours.svg"
    assert "Ours alone" in said(sample(entity).pdf(layout_with(entity, language="en", logo=svg)))


def test_pages_are_to_be_had_as_pictures() -> None:
    invoice = paper(lines=many_lines(60))
    layout = layout_of(None, language="en")
    pictures = make_pictures(layout, data_of(invoice, layout), at=AT, ppi=40)
    assert len(pictures) == page_count(make_pdf(layout, data_of(invoice, layout), at=AT))
    assert all(picture.startswith(PNG) for picture in pictures)


def test_every_language_has_the_words_and_braces_of_english() -> None:
    english, german = words_of("en"), words_of("de")
    assert german["code"] == "de"
    assert english.keys() == german.keys()
    assert english["kinds"].keys() == german["kinds"].keys()
    for key, word in english.items():
        if isinstance(word, str):
            assert sorted(part.split("}")[0] for part in word.split("{")[1:]) == sorted(
                part.split("}")[0] for part in german[key].split("{")[1:]
            ), key


def test_a_month_of_late_usage_is_said_in_the_language() -> None:
    figures = Figures.of(locale_of("de"), currency="EUR", decimals=2)
    assert figures.month(date(2025, 12, 1)) == "Dezember 2025"


def test_after_long_documents_a_new_process_takes_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "LONG_LINES", 39)
    monkeypatch.setattr(adapter, "LONG_LINES_KEPT", 79)
    adapter.end_typesetting()
    layout = layout_of(None, language="en")
    pdf = sample(line_count=40).pdf(layout)
    assert adapter._typesetter._process is not None
    # 40 + 40 = 80 lines
    assert sample(line_count=40).pdf(layout) == pdf
    assert adapter._typesetter._process is None
    assert sample(line_count=40).pdf(layout) == pdf
