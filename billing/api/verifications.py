"""`billingRuns/ID/verification`: whether the posted invoices are what their stored inputs make of them."""
# ruff: noqa: N815  the API's members are in camelCase

from typing import Any

from django.db import transaction
from django.db.models import TextChoices
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.runs import TAGS, WRONG_STATE, BillingRunAction, BillingRunView, existing, translated
from billing.models import BillingRun
from billing.operations.verifications import ask_for_verification
from billing.queries.verifications import latest_verification
from billing.tasks import wake_verifier
from customers.api.idempotency import idempotent


class VerificationState(TextChoices):
    NEVER_ASKED = "neverAsked", "Nobody asked for it yet"
    WAITING = "waiting", "A worker is at it, or will be"
    FINISHED = "finished", "Compared"
    NOT_DONE = "notDone", "Given up; firstDifference says why"


class VerificationSerializer(serializers.Serializer[Any]):
    """What came of computing a run's posted invoices again, the last time that it was asked for."""

    state = serializers.ChoiceField(choices=VerificationState.choices)
    proofRoot = serializers.CharField(help_text="As in the billing run.")
    invoiceCount = serializers.IntegerField(allow_null=True, help_text="Posted invoices; null until it is finished.")
    identicalCount = serializers.IntegerField(allow_null=True, help_text="How many of them came out as posted.")
    isIdentical = serializers.BooleanField(
        allow_null=True, help_text="Whether all did, and the run's root is that of its invoices."
    )
    firstDifference = serializers.CharField(help_text="In words; empty where there is none.")
    askedDate = serializers.DateTimeField(allow_null=True)
    finishedDate = serializers.DateTimeField(allow_null=True)


class BillingRunVerification(BillingRunView):
    @extend_schema(
        tags=TAGS,
        operation_id="billingRuns_verification",
        summary="Show whether the posted invoices come out the same when they are computed again",
        description="What came of the last `verify`; computing it takes a worker some seconds to minutes.",
        responses={200: VerificationSerializer},
    )
    def get(self, request: Request, run_id: str) -> Response:  # noqa: ARG002
        return Response(shown(existing(run_id)))


class VerifyBillingRun(BillingRunAction):
    @extend_schema(
        tags=TAGS,
        operation_id="billingRuns_verify",
        summary="Have a worker compute the posted invoices again",
        description="From their records, prices and terms. Changes nothing; `verification` says what came of it. Asked "
        "for twice, it is done once. 409 where nothing is posted.",
        request=None,
        responses={202: VerificationSerializer, 409: WRONG_STATE},
    )
    @idempotent
    def post(self, request: Request, run_id: str) -> Response:
        run = existing(run_id)
        translated(lambda: ask_for_verification(run_id=run.id, at=timezone.now(), user_id=self.user_id(request)))
        transaction.on_commit(lambda: wake_verifier(run_id=run.id))
        return Response(shown(run), status=202)


def shown(run: BillingRun) -> dict[str, Any]:
    """The last verification of a run as the API shows it."""
    last = latest_verification(run.pk)
    if last is None:
        state = VerificationState.NEVER_ASKED
    elif last.finished_at is None:
        state = VerificationState.WAITING
    else:
        state = VerificationState.NOT_DONE if last.invoice_count is None else VerificationState.FINISHED
    values = {
        "state": state,
        "proofRoot": run.proof_root,
        "invoiceCount": last.invoice_count if last else None,
        "identicalCount": last.identical_count if last else None,
        "isIdentical": last.is_identical if last else None,
        "firstDifference": last.said if last else "",
        "askedDate": last.asked_at if last else None,
        "finishedDate": last.finished_at if last else None,
    }
    return dict(VerificationSerializer(values).data)
