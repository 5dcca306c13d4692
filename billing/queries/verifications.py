"""Reads on verifications of runs."""

from billing.models import RunVerification


def run_ids_to_verify() -> list[int]:
    """The runs that somebody wants to have verified, and that no worker has finished, those first that wait longest."""
    waiting = RunVerification.objects.filter(finished_at__isnull=True).order_by("id")
    return list(waiting.values_list("run_id", flat=True))


def latest_verification(run_id: int) -> RunVerification | None:
    """What was asked for last, finished or not."""
    found = RunVerification.objects.filter(run=run_id).select_related("asked_by").order_by("-id")
    return found.first()
