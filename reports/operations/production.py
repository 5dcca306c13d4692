"""Production of usage reports: posting asks for them, workers make them. Posting never waits for a report.

The row of an invoice is the claim: a worker holds its lock until all files are stored and noted, so one that dies gives
it back, and whoever comes next writes the same files anew.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.models import Q

from reports.adapters.work_folder import work_folder
from reports.choices import ProductionState
from reports.engine.terms import Terms
from reports.models import ReportProduction, UsageReport
from reports.operations.making import MadeFile, ReportsRefused, digest_of, made_files
from reports.queries.profiles import profiles_of_sql

SQL = Path(__file__).parent / "sql"
# Tried again after one minute, then after two, four and so on; after so many tries it has failed.
FIRST_PAUSE = timedelta(minutes=1)
TRIES = 6

logger = logging.getLogger(__name__)


class ReportsConflict(Exception):
    """What was asked for contradicts what became of an invoice's reports; the text says why."""


class _Differs(Exception):
    """Reports made again are not what they were; the text says which. Those that were made first stay."""


def await_reports(*, invoice_ids: Sequence[int]) -> int:
    """Let the usage reports of posted invoices wait to be made, by one statement; how many invoices have any.

    What they are made by is noted now: the profile that each has, and the customer's time zone, language and privacy.
    Those that wait already, or are made, stay as they are.
    """
    statement = (SQL / "await.sql").read_text().replace("{profiles}", profiles_of_sql())
    with connection.cursor() as cursor:
        cursor.execute(statement, {"invoice_ids": list(invoice_ids)})
        return int(cursor.rowcount)


def produce_next(*, at: datetime) -> bool:
    """Make the usage reports of one invoice that waits for them and that no other worker has; whether there was one.

    Either all of its files are stored and noted, or none is. Reports that do not add up fail, and say where; anything
    else is tried again later, a few times. Safe to call at any time, any number of times, from anywhere.
    """
    with transaction.atomic():
        production = (
            ReportProduction.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(Q(next_attempt_at__isnull=True) | Q(next_attempt_at__lte=at), state=ProductionState.WAITING)
            .select_related("invoice", "invoice__currency")
            .order_by("id")
            .first()
        )
        if production is None:
            return False
        try:
            with transaction.atomic(), work_folder(at=at) as folder:
                _make(production, folder)
        except ReportsRefused as error:
            _fail(production, str(error))
        except _Differs as error:
            _done(
                production,
                at=production.produced_at or at,
                note=f"Made again, {error}: a site, a campaign or a destination has another name by now, a service is "
                "of another one, or this release or its settings write them otherwise. The files that were made first "
                "stay.",
            )
        except Exception as error:
            if not connection.is_usable():
                # The connection is gone, and with it the claim. What else the database refuses, a limit that one
                # invoice exceeds for example, must not keep the others waiting.
                raise
            logger.exception("The usage reports of invoice %s could not be made.", production.invoice_id)
            _try_later(production, error, at=at)
        else:
            _done(production, at=at)
    return True


@transaction.atomic
def make_again(*, invoice_id: int) -> ReportProduction:
    """Have the reports of an invoice made again: those that failed, and those that are there, to the same bytes.

    Raises ReportsConflict where the invoice has none to make, and while somebody makes them.
    """
    productions = ReportProduction.objects.filter(invoice_id=invoice_id)
    # Nobody waits for a worker's lock: those of a million calls take a minute.
    production = productions.select_for_update(skip_locked=True).first()
    if production is None and productions.exists():
        raise ReportsConflict(f"The usage reports of invoice {invoice_id} are being made right now.")
    if production is None:
        raise ReportsConflict(
            f"Invoice {invoice_id} has no usage reports to make: it is not posted, or no profile was there for it."
        )
    production.state, production.attempt_count, production.next_attempt_at = ProductionState.WAITING, 0, None
    production.error = ""
    production.save(update_fields=["state", "attempt_count", "next_attempt_at", "error"])
    return production


def _make(production: ReportProduction, folder: Path) -> None:
    """Make, store and note all files. Raises ReportsRefused; _Differs where they were made before, and otherwise."""
    invoice = production.invoice
    earlier = {(report.title, report.format): report for report in UsageReport.objects.filter(invoice=invoice)}
    left = dict(earlier)
    for made in made_files(invoice=invoice, terms=Terms.from_json(production.terms), folder=folder):
        known = left.pop((made.title, made.format), None)
        if earlier and (known is None or known.sha256 != made.sha256):
            raise _Differs(f"“{made.title}” ({made.format}) does not come out as it was")
        # What is there keeps its name, whatever it would be called today.
        name = _stored(made, name=str(known.file) if known else f"usage-reports/{invoice.pk}/{made.name}")
        made.path.unlink()
        if known is None:
            UsageReport.objects.create(
                invoice=invoice,
                title=made.title,
                format=made.format,
                file=name,
                is_zipped=made.is_zipped,
                row_count=made.row_count,
                byte_count=made.byte_count,
                sha256=made.sha256,
            )
    if left:
        raise _Differs(", ".join(sorted(f"“{title}” ({format})" for title, format in left)) + " did not come out")


def _stored(made: MadeFile, *, name: str) -> str:
    """Store a file under a name; what is there already is written anew only if it is not the same."""
    if default_storage.exists(name):
        with default_storage.open(name, "rb") as there:
            if digest_of(there) == made.sha256:
                return name
        default_storage.delete(name)
    with made.path.open("rb") as file:
        return default_storage.save(name, File(file))


def _done(production: ReportProduction, *, at: datetime, note: str = "") -> None:
    production.state, production.produced_at, production.error = ProductionState.DONE, at, note
    production.save(update_fields=["state", "produced_at", "error"])


def _fail(production: ReportProduction, error: str) -> None:
    production.state, production.error = ProductionState.FAILED, error
    production.attempt_count += 1
    production.save(update_fields=["state", "error", "attempt_count"])


def _try_later(production: ReportProduction, error: Exception, *, at: datetime) -> None:
    said = f"The usage reports could not be made: {str(error).splitlines()[0] if str(error) else type(error).__name__}"
    if production.attempt_count + 1 >= TRIES:
        _fail(production, f"{said} (tried {TRIES} times)")
        return
    production.next_attempt_at = at + FIRST_PAUSE * 2**production.attempt_count
    production.attempt_count += 1
    production.error = said
    production.save(update_fields=["attempt_count", "next_attempt_at", "error"])
