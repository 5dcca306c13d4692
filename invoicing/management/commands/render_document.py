"""Makes the PDF of a document, and pictures of its pages, into files: to look at a layout, or to get at a PDF."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from invoicing.adapters.layouts import LayoutMissing, layout_with
from invoicing.adapters.pdf import LayoutRefused
from invoicing.adapters.sample import sample
from invoicing.models import Invoice, LegalEntity
from invoicing.operations.rendering import RenderingFailed, document, pdf_of, pictures_of

SELLER = {
    "name": "Example Telecom",
    "address": "Example Street 12\n20457 Hamburg\nGermany",
    "vat_number": "DE123456789",
    "registration": "Amtsgericht Hamburg, HRB 12345",
    "email": "billing@example.com",
    "phone": "+49 40 555 0100",
    "website": "www.example.com",
    "payment_details": "Example Telecom\nIBAN DE89 3704 0044 0532 0130 00\nBIC COBADEFFXXX",
}
SAMPLE_NUMBER = "INV-2026-000123"


class Command(BaseCommand):
    """`render_document NUMBER` or `render_document --sample LINES`, with --pdf FILE and --png FILE."""

    help = "Make the PDF of a posted document, or of a sample, and pictures of its pages."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare which document, and where to."""
        parser.add_argument("number", nargs="?", help="number of a posted document")
        parser.add_argument(
            "--sample", type=int, metavar="LINES", help="a made-up document; 0: one of each kind of line"
        )
        parser.add_argument("--language", default="en", help="of the sample (en)")
        parser.add_argument("--template", type=Path, metavar="FILE", help="layout of the sample, in Typst")
        parser.add_argument("--logo", type=Path, metavar="FILE", help="logo of the sample: PNG, JPEG or SVG")
        parser.add_argument("--pdf", type=Path, metavar="FILE", help="where to write the PDF")
        parser.add_argument("--png", type=Path, metavar="FILE", help="where to write the pages: FILE-1.png and so on")
        parser.add_argument("--ppi", type=int, default=96, help="pixels to the inch of the pictures (96)")

    def handle(self, **options: Any) -> None:
        """Make the files."""
        if (options["number"] is None) == (options["sample"] is None):
            raise CommandError("Say which document: the number of a posted one, or --sample LINES.")
        try:
            pdf, pictures = self._sampled(options) if options["number"] is None else self._stored(options)
        except (LayoutRefused, LayoutMissing, RenderingFailed) as failed:
            raise CommandError(str(failed)) from failed
        if options["pdf"]:
            options["pdf"].write_bytes(pdf)
            self.stdout.write(f"{options['pdf']}: {len(pdf):,} bytes")
        for position, picture in enumerate(pictures, start=1):
            path = options["png"].with_name(f"{options['png'].stem}-{position}.png")
            path.write_bytes(picture)
            self.stdout.write(f"{path}: {len(picture):,} bytes")

    def _stored(self, options: dict[str, Any]) -> tuple[bytes, list[bytes]]:
        found = Invoice.objects.filter(number=options["number"]).first()
        if found is None:
            raise CommandError(f"There is no posted document with the number “{options['number']}”.")
        invoice = document(found.pk)
        return pdf_of(invoice), pictures_of(invoice, ppi=options["ppi"]) if options["png"] else []

    def _sampled(self, options: dict[str, Any]) -> tuple[bytes, list[bytes]]:
        seller = LegalEntity(**SELLER)
        if options["template"]:
            seller.template = options["template"].read_text(encoding="utf-8")
        if options["logo"]:
            seller.logo.name = options["logo"].name
        logo = options["logo"].read_bytes() if options["logo"] else None
        layout = layout_with(seller, language=options["language"], logo=logo)
        made = sample(seller, language=options["language"], line_count=options["sample"] or None, number=SAMPLE_NUMBER)
        return made.pdf(layout), made.pictures(layout, ppi=options["ppi"]) if options["png"] else []
