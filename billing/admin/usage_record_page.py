"""What the page of a usage data record says: where it stands, what can be done, and what that would do."""

from dataclasses import dataclass

from billing.queries.explain import explain_charge
from billing.queries.explained import Explanation
from billing.queries.prices_now import explain_pending
from billing.queries.usage_records import Standing
from catalog.admin.figures import exact_in
from invoicing.models import Invoice
from usage.choices import BillingDirective, LifeCycleState, RecordChangeKind
from usage.models import UsageDataRecord, UsageDataRecordChange

DIRECTIVES = {
    "bill": BillingDirective.TO_BE_BILLED,
    "credit": BillingDirective.TO_BE_CREDITED,
    "exclude": BillingDirective.NOT_TO_BE_BILLED,
}
KIND_LABELS = {
    RecordChangeKind.POSTED: "success",
    RecordChangeKind.REJECTED: "warning",
    RecordChangeKind.CANCELLED: "danger",
}
FIELD_NAMES = {"subscription_service": "service", "usage_type": "type", "subscription_action": "action"}


@dataclass(frozen=True, slots=True)
class Step:
    """A button: part of its address, its text, the title and the button of its page, and its look.

    `needs_reason` where it is refused without one.
    """

    name: str
    label: str
    title: str
    verb: str
    look: str = ""
    needs_reason: bool = False


STEPS = {
    step.name: step
    for step in (
        Step("post", "Post", "Post this record?", "Post the record", "tb-primary"),
        Step("reject", "Reject…", "Reject this record?", "Reject the record", "tb-danger", needs_reason=True),
        Step("adjust", "Adjust…", "Adjust this record", "Adjust the record"),
        Step("bill", "Bill", "Bill this record?", "Bill the record"),
        Step("credit", "Credit", "Credit this record?", "Credit the record"),
        Step("exclude", "Do not bill", "Leave this record off invoices?", "Do not bill the record"),
        Step("cancel", "Cancel…", "Cancel this record?", "Cancel the record", "tb-danger"),
    )
}


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One thing that was done to the record, or to another of its family."""

    change: UsageDataRecordChange
    badge: str
    changes: tuple[str, ...]


def offered_steps(record: UsageDataRecord, standing: Standing) -> list[Step]:
    """The buttons that can be pressed now."""
    names: set[str] = set()
    if record.life_cycle_state == LifeCycleState.DRAFT:
        names = {"post", "reject", *DIRECTIVES}
    elif record.life_cycle_state == LifeCycleState.POSTED:
        names = {"cancel", "adjust"} | (set() if standing.posted_invoice else set(DIRECTIVES))
    names -= {name for name, directive in DIRECTIVES.items() if directive == record.billing_directive}
    return [step for name, step in STEPS.items() if name in names]


def where_it_stands(record: UsageDataRecord, standing: Standing) -> str:
    """A record's place in billing, as a sentence."""
    if record.life_cycle_state == LifeCycleState.POSTED:
        return _billed(record, standing)
    return {
        LifeCycleState.DRAFT.value: "A draft: it is not billed until it is posted.",
        LifeCycleState.REJECTED.value: "Rejected: it is never billed.",
        LifeCycleState.CANCELLED.value: _cancelled(standing),
    }[record.life_cycle_state]


def consequence(step: Step, record: UsageDataRecord, standing: Standing) -> str:
    """What pressing the button will do, in sentences."""
    if step.name in DIRECTIVES:
        return _directed(DIRECTIVES[step.name], record, standing)
    return {
        "post": _posted(record),
        "reject": "A rejected record stays rejected and is never billed.",
        "cancel": _cancel(standing),
        "adjust": _adjust(record, standing),
    }[step.name]


def explanation_of(record: UsageDataRecord, standing: Standing) -> Explanation | None:
    """Why the record's charge is what it is, or what it would cost now; None of one that is not billed."""
    if standing.charge is not None:
        return explain_charge(charge_id=standing.charge.pk)
    return explain_pending(record_id=record.pk) if standing.is_pending else None


def history_rows(changes: list[UsageDataRecordChange]) -> list[HistoryRow]:
    """The history for its table."""
    return [
        HistoryRow(
            change=change,
            badge=KIND_LABELS.get(RecordChangeKind(change.kind), "info"),
            changes=tuple(
                f"{_field(name)}: {_shown(before)} → {_shown(after)}"
                for name, (before, after) in change.changes.items()
            ),
        )
        for change in changes
    ]


def _billed(record: UsageDataRecord, standing: Standing) -> str:
    if standing.is_pending:
        return "Pending: it waits for the customer's next billing run."
    if record.billing_directive == BillingDirective.NOT_TO_BE_BILLED:
        return "Not billed, as its directive says."
    if standing.account is not None:
        return f"Charged {_amount(standing)} on a draft invoice of run {standing.account.run}."
    if standing.invoice is not None:
        credited = "" if standing.credit_note is None else f" Credited by {_named(standing.credit_note)}."
        return f"Charged {_amount(standing)} on invoice {standing.invoice}.{credited}"
    return "Neither pending nor charged: the page of completeness counts it as misplaced."


def _posted(record: UsageDataRecord) -> str:
    if record.billing_directive == BillingDirective.NOT_TO_BE_BILLED:
        return "From then on what it says does not change. It is not billed, as its directive says."
    return "From then on what it says does not change. It waits for the customer's next billing run."


def _cancel(standing: Standing) -> str:
    if standing.is_pending:
        effect = "It is pending: it leaves the inbox of billing and is never billed."
    elif standing.account is not None:
        effect = f"It is on a draft invoice of run {standing.account.run}: the draft is made anew without it."
    elif standing.credit_note is not None:
        effect = f"Its charge is credited already, by {_named(standing.credit_note)}."
    elif standing.posted_invoice is not None:
        effect = f"{_opposite(standing)} waits for the customer's next invoice."
    else:
        effect = "It is on no invoice."
    return f"{effect} A cancelled record stays cancelled."


def _adjust(record: UsageDataRecord, standing: Standing) -> str:
    start = f"Record {record.number} is cancelled, and a successor says what is right."
    if standing.account is not None:
        return f"{start} The draft invoice of run {standing.account.run} is made anew with the successor."
    if standing.credit_note is not None:
        credited = f"Its charge is credited already, by {_named(standing.credit_note)}."
        return f"{start} {credited} The successor waits for the customer's next billing run."
    if standing.posted_invoice is not None:
        return f"{start} {_opposite(standing)} waits for the customer's next invoice, and so does the successor."
    return f"{start} The successor waits for the customer's next billing run, if it is to be billed."


def _directed(directive: BillingDirective, record: UsageDataRecord, standing: Standing) -> str:
    effect = {
        BillingDirective.TO_BE_BILLED: "It is charged.",
        BillingDirective.TO_BE_CREDITED: "It is charged with the opposite sign.",
        BillingDirective.NOT_TO_BE_BILLED: "It is on no invoice.",
    }[directive]
    if record.life_cycle_state == LifeCycleState.DRAFT:
        return f"{effect} It stays a draft until it is posted."
    if standing.account is not None:
        return f"{effect} The draft invoice of run {standing.account.run} is made anew."
    if directive == BillingDirective.NOT_TO_BE_BILLED:
        return f"{effect} It leaves the inbox of billing."
    return f"{effect} It waits for the customer's next billing run."


def _cancelled(standing: Standing) -> str:
    if standing.credit_note is not None:
        charged = f"{_amount(standing)} on invoice {standing.invoice}"
        return f"Cancelled: its charge of {charged} is credited by {_named(standing.credit_note)}."
    if standing.reversal is None or standing.invoice is None:
        return "Cancelled: it is never billed."
    line = standing.reversal.invoice_line
    where = "waits for the customer's next invoice" if line is None else f"is on invoice {line.invoice}"
    return f"Cancelled: the opposite of its charge of {_amount(standing)} on invoice {standing.invoice} {where}."


def _opposite(standing: Standing) -> str:
    assert standing.charge is not None  # noqa: S101  of a posted invoice
    amount = exact_in(-standing.charge.amount, standing.charge.line.invoice.currency_id)
    return f"It is on posted invoice {standing.invoice}: an opposite charge of {amount}"


def _named(note: Invoice) -> str:
    return f"credit note {note}" if note.number else f"the {note} of a credit note"


def _amount(standing: Standing) -> str:
    assert standing.charge is not None  # noqa: S101  of an invoice
    return exact_in(standing.charge.amount, standing.charge.line.invoice.currency_id)


def _field(name: str) -> str:
    return FIELD_NAMES.get(name, name).replace("_", " ") if not name.startswith("udf_") else name


def _shown(text: str | None) -> str:
    return text or "nothing"
