"""Spreadsheets open in LibreOffice, which says nothing of them and reads the values that are in them."""

import csv
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.factories import InvoiceFactory, SubscriptionServiceFactory
from tests.reports.reported import files, invoice_of_four_uses, line, use

pytestmark = pytest.mark.django_db

LONGEST_SECONDS = 90
# Fields by commas, texts in quotes, UTF-8, from line 1, cells as they are shown, all worksheets.
AS_SHOWN = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,true,false,false,-1"

# What it says of any file; and of itself, where there is no Java.
HOW_IT_GOES = ("convert ", "Writing sheet ", "Warning: failed to launch javaldx")


def soffice() -> str:
    """Where LibreOffice is; skips the test where there is none, fails it where `TOLLBOOK_REQUIRE_LIBREOFFICE=1`."""
    found = shutil.which("soffice") or shutil.which("libreoffice")
    if found is not None:
        return found
    missing = "There is no LibreOffice on the PATH: that it opens spreadsheets is not tested."
    if os.environ.get("TOLLBOOK_REQUIRE_LIBREOFFICE") == "1":
        pytest.fail(missing)
    pytest.skip(missing)


def opened(workbook: Path, folder: Path) -> dict[str, list[list[str]]]:
    """What LibreOffice shows in each worksheet, by their names. It may say nothing else."""
    command = [soffice(), "--headless", "--norestore", f"-env:UserInstallation=file://{folder / 'profile'}"]
    done = subprocess.run(
        [*command, "--convert-to", AS_SHOWN, "--outdir", str(folder / "out"), str(workbook)],
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
        env=os.environ | {"HOME": str(folder), "LC_ALL": "C.UTF-8"},
    )
    assert done.returncode == 0, done.stderr
    said = [*done.stdout.splitlines(), *done.stderr.splitlines()]
    assert [line for line in said if line and not line.startswith(HOW_IT_GOES)] == []
    found = {}
    for path in sorted((folder / "out").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            found[path.stem.removeprefix(f"{workbook.stem}-")] = list(csv.reader(file))
    return found


def test_libreoffice_shows_the_values_of_a_workbook(tmp_path: Path) -> None:
    made = files(
        invoice_of_four_uses(),
        tmp_path,
        call_details=("All",),
        formats=("xlsx",),
        include_call_columns=("Date", "Time", "Number", "Destination", "Duration", "Quantity", "Amount"),
    )
    (name,) = made
    (tmp_path / name).write_bytes(made[name])
    assert opened(tmp_path / name, tmp_path) == {
        "Usage All": [
            ["Date", "Time", "Number", "Destination", "Duration", "Quantity", "Amount (USD)"],
            ["01/10/2026", "09:00:00", "+493011111", "+442079460001", "0:01:00", "60", "0.125"],
            ["01/10/2026", "23:30:00", "+493022222", "+442079460002", "0:02:00", "120", "0.25"],
            ["01/12/2026", "11:00:00", "+493011111", "", "0:00:00", "1", "0"],
            ["02/01/2026", "00:30:05", "+493011111", "+33140000003", "0:00:30", "30", "0.003"],
            ["Total (4)", "", "", "", "0:03:30", "", "0.378"],
            ["Invoiced", "", "", "", "", "", "0.38"],
        ]
    }


def test_libreoffice_opens_every_worksheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A header, two totals, and room for three rows.
    monkeypatch.setattr("reports.adapters.workbook.ROWS_OF_WORKSHEET", 6)
    made = files(
        invoice_of_four_uses(),
        tmp_path,
        call_details=("All",),
        formats=("xlsx",),
        include_call_columns=("Record Number", "Product"),
    )
    (name,) = made
    (tmp_path / name).write_bytes(made[name])
    header = ["Record number", "Product", "Amount (USD)"]
    assert opened(tmp_path / name, tmp_path) == {
        "Usage All": [header, ["C1", "Calls", "0.125"], ["C2", "Calls", "0.25"], ["C4", "Messages", "0"]],
        "Usage All 2": [
            header,
            ["C3", "Calls", "0.003"],
            ["Total (4)", "", "0.378"],
            ["Invoiced", "", "0.38"],
        ],
    }


def test_libreoffice_shows_texts_as_they_are(tmp_path: Path) -> None:
    invoice = InvoiceFactory()
    charged = line(invoice, "1", "1.00", product_name='<b>Calls</b> & "more", =1+1')
    use(charged, SubscriptionServiceFactory(customer=invoice.customer), "2026-01-10T08:00", "1", number="=1+1")
    made = files(
        invoice, tmp_path, call_details=("All",), formats=("xlsx",), include_call_columns=("Record Number", "Product")
    )
    (name,) = made
    (tmp_path / name).write_bytes(made[name])
    (rows,) = opened(tmp_path / name, tmp_path).values()
    assert rows[1] == ["=1+1", '<b>Calls</b> & "more", =1+1', "1"]
