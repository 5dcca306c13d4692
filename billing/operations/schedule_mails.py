"""What the billing group is told about scheduled runs: noted with what it tells of, claimed, sent, and so noted."""

import logging
from collections import Counter
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Q

from billing.adapters.mail import send_schedule_mail
from billing.choices import RunStatus, ScheduleAction, ScheduleMailKind
from billing.models import BillingRun, RunSchedule, ScheduleMail
from billing.operations.preview import RunPreview
from billing.queries.runs import account_counts
from billing.queries.schedules import billing_group_addresses, completed_with_failures
from catalog.adapters.mail import MailFailed
from catalog.models import Currency

# A commenced run that keeps a later one waiting for so long wants somebody's attention.
PATIENCE = timedelta(hours=1)
# A claimed mail that was not noted as sent by then is sent again: its sender died, or the mail server was away.
CLAIMED_FOR = timedelta(minutes=10)
LONGEST_SUBJECT = 200

logger = logging.getLogger(__name__)


def send_schedule_mails(*, at: datetime) -> int:
    """Send what is noted and not sent yet to the members of the billing group; how many mails were sent.

    Each at least once: one whose sender died before it was noted as sent is sent again after `CLAIMED_FOR`. Where the
    mail server fails the rest waits as long. Without members that have an address nothing is sent, and all of it waits.
    """
    waiting = ScheduleMail.objects.filter(sent_at__isnull=True)
    if not waiting.exists():
        return 0
    addresses = billing_group_addresses()
    if not addresses:
        logger.warning("Nobody in the billing group has an e-mail address: mails about scheduled runs wait.")
        return 0
    count = 0
    while (mail := _claim(at)) is not None:
        try:
            send_schedule_mail(mail, to=addresses)
        except MailFailed:
            logger.exception("The mail server failed: mail %s about a scheduled run is sent later.", mail.pk)
            break
        ScheduleMail.objects.filter(pk=mail.pk).update(sent_at=at)
        count += 1
    return count


@transaction.atomic
def _claim(at: datetime) -> ScheduleMail | None:
    free = Q(claimed_at__isnull=True) | Q(claimed_at__lte=at - CLAIMED_FOR)
    rows = ScheduleMail.objects.select_for_update(skip_locked=True, of=("self",)).filter(free, sent_at__isnull=True)
    mail = rows.select_related("schedule", "run").order_by("id").first()
    if mail is not None:
        mail.claimed_at = at
        mail.save(update_fields=["claimed_at"])
    return mail


def note_refused(schedule: RunSchedule, run: BillingRun, refusal: Exception) -> None:
    """Say that a run was created but could not be previewed or commenced."""
    verb = "previewed" if schedule.action == ScheduleAction.PREVIEW else "commenced"
    _note(
        run,
        ScheduleMailKind.REFUSED,
        f"{run.name} could not be {verb}",
        f"Run {run.pk} was created by its schedule, but could not be {verb}: it stays pending. {refusal}\n\n"
        "Mend what is named and go on with the run by hand, or cancel it. The run of the next period waits for it.",
    )


def note_preview(run: BillingRun, preview: RunPreview) -> None:
    """Say what a run would come to."""
    outcomes: Counter[str] = Counter()
    amounts: dict[str, Decimal] = {}
    for account in preview.accounts:
        outcomes[account.outcome] += 1
        amounts[account.currency] = amounts.get(account.currency, Decimal(0)) + account.total_amount
    counts = ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(outcomes.items()))
    digits = dict(Currency.objects.filter(code__in=amounts).values_list("code", "minor_units"))
    sums = ", ".join(f"{amount:,.{digits[code]}f} {code}" for code, amount in sorted(amounts.items()) if amount)
    _note(
        run,
        ScheduleMailKind.PREVIEW,
        f"{run.name} is ready to be commenced",
        f"Run {run.pk} was created by its schedule. It would come to {sums or 'nothing'}, customers: {counts}. "
        "Nothing of this preview is kept. Look at the run and commence it.",
    )


def note_behind(schedule: RunSchedule, cutoff: date, *, waits_for: BillingRun, at: datetime) -> None:
    """Say that a period waits for a run, where that is not about to be completed by itself."""
    run = waits_for
    if run.status == RunStatus.PENDING:
        state = "is still pending: commence it or cancel it"
    elif run.paused_at is not None:
        state = "is paused: resume it"
    elif run.commenced_at is not None and at - run.commenced_at > PATIENCE:
        state = f"was commenced at {run.commenced_at:%Y-%m-%d %H:%M} UTC and is not completed yet: look at it"
    else:
        return
    _write(
        schedule_id=schedule.pk,
        day=cutoff,
        kind=ScheduleMailKind.BEHIND,
        run=run,
        subject=f"{schedule.name} {cutoff} waits for run {run.pk}",
        text=f"The run of {schedule.name} with cutoff date {cutoff} is due, but run {run.pk} ({run.name}) {state}. "
        "Then the schedule goes on by itself.",
    )


def note_failed_accounts() -> None:
    """Say which completed runs have accounts that failed."""
    for run in completed_with_failures():
        counts = account_counts(run.pk)
        failed = f"{counts['failed']:,} {'account' if counts['failed'] == 1 else 'accounts'}"
        _note(
            run,
            ScheduleMailKind.ACCOUNTS_FAILED,
            f"{run.name}: {failed} failed",
            f"Run {run.pk} is completed, but {failed} failed: their usage waits. {counts['invoiced']:,} are invoiced. "
            "The page of the run says why each failed. Mend what it names and try them again.",
        )


def note_error(schedule: RunSchedule, error: Exception, *, at: datetime) -> None:
    """Say that a schedule failed, once a day while it does."""
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    _write(
        schedule_id=schedule.pk,
        day=at.date(),
        kind=ScheduleMailKind.ERROR,
        run=None,
        subject=f"{schedule.name} failed",
        text=f"The schedule {schedule.name} could not make its run: {reason}\n\n"
        "It is tried again every minute until it succeeds; what it had begun was undone. The worker's log says more.",
    )


def _note(run: BillingRun, kind: ScheduleMailKind, subject: str, text: str) -> None:
    """Note it of a run that a schedule made."""
    if run.schedule_id is not None and run.scheduled_for is not None:
        _write(schedule_id=run.schedule_id, day=run.scheduled_for, kind=kind, run=run, subject=subject, text=text)


def _write(
    *, schedule_id: int, day: date, kind: ScheduleMailKind, run: BillingRun | None, subject: str, text: str
) -> None:
    """Note it where it is not noted yet."""
    mail = ScheduleMail(schedule_id=schedule_id, day=day, kind=kind, run=run, text=text)
    mail.subject = subject[:LONGEST_SUBJECT]
    ScheduleMail.objects.bulk_create([mail], ignore_conflicts=True)
