"""What stands between a pending run and its commencing: the checks beforehand, and who confirmed their warnings."""

from collections.abc import Collection
from datetime import datetime

from billing.choices import PreflightVerdict
from billing.models import BillingRun
from billing.operations.errors import PreflightRefused
from billing.queries.preflight import preflight

# What commencing refuses in any case, checked or not, and with more to say.
REFUSED_ANYWAY = {"waiting_elsewhere", "expected_accounts"}


def confirmed_checks(run: BillingRun, *, at: datetime, confirmed: Collection[str]) -> list[str]:
    """The codes of the warnings that there are and that were confirmed.

    Raises PreflightRefused, with all checks, where one blocks the run or a warning was not confirmed by its code.
    """
    checks = preflight(run=run, at=at)
    blocks = [check for check in checks if check.verdict == PreflightVerdict.BLOCK and check.code not in REFUSED_ANYWAY]
    warnings = [check for check in checks if check.verdict == PreflightVerdict.WARN]
    left = [check for check in warnings if check.code not in confirmed]
    if blocks or left:
        said = [f"{check.title} ({check.code}): {check.detail}" for check in (*blocks, *left)]
        if blocks:
            what_to_do = "What blocks it has to be mended first."
        else:
            what_to_do = f"Mend this, or confirm {', '.join(check.code for check in left)} and commence it again."
        raise PreflightRefused(f"Run {run.pk} was not commenced. {what_to_do} {' '.join(said)}", checks=checks)
    return [check.code for check in warnings]
