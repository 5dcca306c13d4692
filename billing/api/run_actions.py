"""What is done to a run after it was commenced, and to single accounts of it."""
# ruff: noqa: N815  the API's members are in camelCase

from typing import Any

from django.db import transaction
from django.http import QueryDict
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.runs import TAGS, BillingRunAction, existing, shown_by_id, translated
from billing.api.serializers import BillingRunSerializer, RunAccountSerializer
from billing.models import RunAccount
from billing.operations.pausing import pause_run, resume_run
from billing.operations.run_accounts import hold_account, release_account, retry_failed, split_off_account
from billing.operations.runs import approve_run
from billing.operations.undo import undo_run
from billing.tasks import wake_for_posted, wake_workers
from customers.api.fields import BIGINT_MAX
from customers.api.idempotency import idempotent
from customers.api.views import checked_id, refuse_unknown_members

MOST_ACCOUNTS = 10_000
REASON_LENGTH = 1_000
RUN = BillingRunSerializer
WRONG_STATE = OpenApiResponse({"$ref": "#/components/schemas/Error"}, "The state, named, does not allow it")
REFUSED = OpenApiResponse({"$ref": "#/components/schemas/Error"}, "Understood and refused; nothing was changed")


@extend_schema_field(
    {"oneOf": [{"type": "string", "pattern": "^[1-9][0-9]{0,18}$"}, {"type": "integer", "minimum": 1}]}
)
class GivenIdField(serializers.IntegerField):
    """An id in a body, as the API shows it (a text) or as a number."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=BIGINT_MAX, **kwargs)


class Body(serializers.Serializer[Any]):
    """A body in which a member that nobody reads is refused."""

    def to_internal_value(self, data: Any) -> Any:
        refuse_unknown_members(data, set(self.fields))
        return super().to_internal_value(data)


class ApprovalSerializer(Body):
    """Which accounts' invoices are posted."""

    accountIDs = serializers.ListField(
        child=GivenIdField(),
        required=False,
        allow_empty=False,
        max_length=MOST_ACCOUNTS,
        help_text="Ids of invoiced accounts of the run, as `accounts` lists them. Left out: all that are invoiced.",
    )


class HoldSerializer(Body):
    """Why an account is held."""

    reason = serializers.CharField(max_length=REASON_LENGTH, help_text="For whoever decides on it later.")


class ApproveBillingRun(BillingRunAction):
    @extend_schema(
        tags=TAGS,
        operation_id="billingRuns_approve",
        summary="Approve a completed run, or some of its accounts",
        description="Posts the invoices: they get their numbers and never change again. With `accountIDs` only those; "
        "the run counts as approved (`approvedDate`) once nothing that is invoiced is left to post. Accounts that are "
        "held stay behind. The server may want another person than who commenced the run: 422.",
        request=ApprovalSerializer,
        responses={200: RUN, 409: WRONG_STATE, 422: REFUSED},
    )
    @idempotent
    def post(self, request: Request, run_id: str) -> Response:
        run = existing(run_id)
        account_ids = _body(ApprovalSerializer, request).get("accountIDs")
        translated(
            lambda: approve_run(
                run_id=run.id, at=timezone.now(), user_id=self.user_id(request), account_ids=account_ids
            )
        )
        wake_for_posted()
        return Response(shown_by_id(run.id))


class PauseBillingRun(BillingRunAction):
    @extend_schema(
        tags=TAGS,
        operation_id="billingRuns_pause",
        summary="Pause a commenced run",
        description="No worker takes another chunk of it; what one is at is finished. Paused already, it stays so.",
        request=None,
        responses={200: RUN, 409: WRONG_STATE},
    )
    @idempotent
    def post(self, request: Request, run_id: str) -> Response:  # noqa: ARG002
        run = existing(run_id)
        translated(lambda: pause_run(run_id=run.id, at=timezone.now()))
        return Response(shown_by_id(run.id))


class ResumeBillingRun(BillingRunAction):
    @extend_schema(
        tags=TAGS,
        operation_id="billingRuns_resume",
        summary="Let a paused run go on",
        request=None,
        responses={200: RUN, 409: WRONG_STATE},
    )
    @idempotent
    def post(self, request: Request, run_id: str) -> Response:  # noqa: ARG002
        run = existing(run_id)
        translated(lambda: resume_run(run_id=run.id))
        _wake_afterwards(run.id)
        return Response(shown_by_id(run.id))


class UndoBillingRun(BillingRunAction):
    @extend_schema(
        tags=TAGS,
        operation_id="billingRuns_undo",
        summary="Undo a commenced or completed run",
        description="Everything is as it was before the run was commenced, and the run is pending again (one that was "
        "split off is cancelled). Only while none of its invoices is posted.",
        request=None,
        responses={200: RUN, 409: WRONG_STATE},
    )
    @idempotent
    def post(self, request: Request, run_id: str) -> Response:  # noqa: ARG002
        run = existing(run_id)
        translated(lambda: undo_run(run_id=run.id))
        return Response(shown_by_id(run.id))


class RetryFailedAccounts(BillingRunAction):
    @extend_schema(
        tags=TAGS,
        operation_id="billingRuns_retryFailed",
        summary="Have the failed accounts of a run produced again",
        description="They wait for the workers again; `accountCounts` says how many.",
        request=None,
        responses={200: RUN, 409: WRONG_STATE},
    )
    @idempotent
    def post(self, request: Request, run_id: str) -> Response:  # noqa: ARG002
        run = existing(run_id)
        translated(lambda: retry_failed(run_id=run.id))
        _wake_afterwards(run.id)
        return Response(shown_by_id(run.id))


class HoldRunAccount(BillingRunAction):
    @extend_schema(
        tags=TAGS,
        operation_id="billingRuns_accounts_hold",
        summary="Keep an account off the run's invoices",
        description="Its draft is taken back, and its usage waits.",
        request=HoldSerializer,
        responses={200: RunAccountSerializer, 409: WRONG_STATE, 422: REFUSED},
    )
    @idempotent
    def post(self, request: Request, run_id: str, account_id: str) -> Response:
        account = _existing_account(run_id, account_id)
        reason = _body(HoldSerializer, request)["reason"]
        held = translated(lambda: hold_account(account_id=account.id, reason=reason))
        return Response(RunAccountSerializer(held).data)


class ReleaseRunAccount(BillingRunAction):
    @extend_schema(
        tags=TAGS,
        operation_id="billingRuns_accounts_release",
        summary="Release an account that a person held, or that is held as unusual",
        description="The former is produced by the rules of the run, the latter is invoiced as it was.",
        request=None,
        responses={200: RunAccountSerializer, 409: WRONG_STATE},
    )
    @idempotent
    def post(self, request: Request, run_id: str, account_id: str) -> Response:  # noqa: ARG002
        account = _existing_account(run_id, account_id)
        released = translated(lambda: release_account(account_id=account.id))
        return Response(RunAccountSerializer(released).data)


class SplitOffRunAccount(BillingRunAction):
    @extend_schema(
        tags=TAGS,
        operation_id="billingRuns_accounts_splitOff",
        summary="Move an account into a run of its own",
        description="Commenced, with the same dates and message and what the run saw. Answers with the new run.",
        request=None,
        responses={201: RUN, 409: WRONG_STATE},
    )
    @idempotent
    def post(self, request: Request, run_id: str, account_id: str) -> Response:  # noqa: ARG002
        account = _existing_account(run_id, account_id)
        split = translated(lambda: split_off_account(account_id=account.id, at=timezone.now()))
        _wake_afterwards(split.id)
        return Response(shown_by_id(split.id), status=201)


def _body(serializer_class: type[Body], request: Request) -> dict[str, Any]:
    """The members of the body. No body at all, which is an empty form to the framework, has none."""
    data = request.data
    serializer = serializer_class(data={} if isinstance(data, QueryDict) else data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def _existing_account(run_id: str, account_id: str) -> RunAccount:
    account = RunAccount.objects.filter(run=existing(run_id), id=checked_id(account_id)).first()
    if account is None:
        raise NotFound(f"There is no account with the id {account_id} in the billing run {run_id}.")
    return account


def _wake_afterwards(run_id: int) -> None:
    transaction.on_commit(lambda: wake_workers(run_id=run_id))
