"""Where one usage data record stands with billing, and what was done to it."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import Q

from billing.models import RunAccount
from customers.models import SubscriptionService
from invoicing.choices import InvoiceState
from invoicing.models import CreditedCharge, Invoice, Transaction, UsageCharge
from usage.models import PendingUsage, UsageDataRecord, UsageDataRecordChange


@dataclass(frozen=True, slots=True)
class Standing:
    """A record is pending, or has its charge on a draft or a posted invoice, or neither.

    `account` is the run account of the draft, `reversal` the opposite of a charge on a posted invoice,
    `credit_note` the document, a draft too, that credits it.
    """

    is_pending: bool
    charge: UsageCharge | None
    account: RunAccount | None
    reversal: Transaction | None
    credit_note: Invoice | None = None

    @property
    def invoice(self) -> Invoice | None:
        """The document that has its charge."""
        return None if self.charge is None else self.charge.line.invoice

    @property
    def posted_invoice(self) -> Invoice | None:
        """The same, if it is posted."""
        return self.invoice if self.invoice is not None and self.invoice.state == InvoiceState.POSTED else None


def standing(record: UsageDataRecord) -> Standing:
    """Where the record stands now."""
    charge = UsageCharge.objects.filter(record=record).select_related("line__invoice__currency").first()
    account = reversal = credited = None
    if charge is not None:
        accounts = RunAccount.objects.filter(invoice=charge.line.invoice, invoice__state=InvoiceState.DRAFT)
        account = accounts.select_related("run").first()
        credited = CreditedCharge.objects.filter(charge=charge).select_related("line__invoice").first()
        reversal = Transaction.objects.filter(reversed_charge=charge).select_related("invoice_line__invoice").first()
    is_pending = PendingUsage.objects.filter(record=record).exists()
    credit_note = None if credited is None else credited.line.invoice
    return Standing(is_pending=is_pending, charge=charge, account=account, reversal=reversal, credit_note=credit_note)


def family(record: UsageDataRecord) -> list[UsageDataRecord]:
    """The record that came in and all that were adjusted out of it, in order: a single one if none was."""
    first_id = record.original_id or record.pk
    return list(UsageDataRecord.objects.filter(Q(pk=first_id) | Q(original=first_id)).order_by("id"))


def history(records: list[UsageDataRecord]) -> list[UsageDataRecordChange]:
    """What was done to these records, by whom and when, in order."""
    changes = UsageDataRecordChange.objects.filter(record__in=records)
    return list(changes.select_related("record", "user").order_by("id"))


def service_at(identifier: str, at: datetime) -> SubscriptionService | None:
    """The service that had the identifier on the day, in its customer's time zone, of this instant."""
    services = SubscriptionService.objects.filter(identifier=identifier).select_related("customer")
    for service in services:
        day = at.astimezone(ZoneInfo(service.customer.timezone)).date()
        if service.start_date <= day and (service.end_date is None or day < service.end_date):
            return service
    return None
