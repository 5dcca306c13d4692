"""`billingRuns` of the backend API."""

from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.serializers import (
    BillingRunSerializer,
    RunAccountSerializer,
    run_values,
)
from billing.models import BillingRun
from billing.operations.errors import RunConflict, RunRefused
from billing.operations.runs import cancel_run, create_run, update_run
from billing.queries.run_figures import accounts_of_run, figures_of_runs
from customers.api.exceptions import Conflict, Refused
from customers.api.idempotency import idempotent
from customers.api.lists import BACKEND_LIST_HEADERS, BackendListQuery, backend_list, backend_rows
from customers.api.views import ApiView, checked_id, checked_query
from customers.choices import Scope

Result = TypeVar("Result")

TAGS = ["billingRuns"]
WRONG_STATE = OpenApiResponse({"$ref": "#/components/schemas/Error"}, "The run is no longer pending")


class BillingRunView(ApiView):
    """Billing runs are the staff's."""

    staff_model = "billing.billingrun"
    is_staff_only = True


class BillingRunList(BillingRunView):
    @extend_schema(
        tags=TAGS,
        operation_id="billingRuns_list",
        summary="List billing runs by id",
        parameters=[BackendListQuery, *BACKEND_LIST_HEADERS],
        responses={200: BillingRunSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        query = checked_query(BackendListQuery, request)
        runs, has_next, total = backend_rows(BillingRun.objects.select_related("invoice_message"), query)
        return backend_list(request, shown(runs), has_next=has_next, total=total, last_id=runs[-1].id if runs else None)

    @extend_schema(
        tags=TAGS,
        operation_id="billingRuns_create",
        summary="Make a billing run",
        request=BillingRunSerializer,
        responses={201: BillingRunSerializer},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        serializer = BillingRunSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        run = translated(lambda: create_run(**run_values(serializer.validated_data)))
        return Response(shown_by_id(run.id), status=201)


class BillingRunDetail(BillingRunView):
    @extend_schema(
        tags=TAGS,
        operation_id="billingRuns_retrieve",
        summary="Show one billing run",
        responses={200: BillingRunSerializer},
    )
    def get(self, request: Request, run_id: str) -> Response:  # noqa: ARG002
        return Response(shown_by_id(existing(run_id).id))

    @extend_schema(
        tags=TAGS,
        operation_id="billingRuns_update",
        summary="Change a billing run",
        description="Members that are not given stay as they are, as with PATCH. Dates and message lock at commencing.",
        request=BillingRunSerializer,
        responses={200: BillingRunSerializer},
    )
    @idempotent
    def put(self, request: Request, run_id: str) -> Response:
        return self._change(request, run_id)

    @extend_schema(
        tags=TAGS,
        operation_id="billingRuns_partial_update",
        summary="Change a billing run",
        description="Members that are not given stay as they are. Dates and message lock at commencing.",
        request=BillingRunSerializer,
        responses={200: BillingRunSerializer},
    )
    @idempotent
    def patch(self, request: Request, run_id: str) -> Response:
        return self._change(request, run_id)

    def _change(self, request: Request, run_id: str) -> Response:
        run = existing(run_id)
        serializer = BillingRunSerializer(run, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        changes = run_values(serializer.validated_data)
        translated(lambda: update_run(run_id=run.id, changes=changes))
        return Response(shown_by_id(run.id))


class BillingRunAction(BillingRunView):
    """A change of status: it takes no body and answers with the changed run."""

    scope = Scope.BILLING_RUN
    staff_verbs = {"POST": "change"}


class CancelBillingRun(BillingRunAction):
    @extend_schema(
        tags=TAGS,
        operation_id="billingRuns_cancel",
        summary="Cancel a pending run",
        request=None,
        responses={200: BillingRunSerializer},
    )
    @idempotent
    def post(self, request: Request, run_id: str) -> Response:  # noqa: ARG002
        run = existing(run_id)
        translated(lambda: cancel_run(run_id=run.id))
        return Response(shown_by_id(run.id))


class BillingRunAccounts(BillingRunView):
    @extend_schema(
        tags=TAGS,
        operation_id="billingRuns_accounts",
        summary="List the run's customers with outcome and reason",
        parameters=[BackendListQuery, *BACKEND_LIST_HEADERS],
        responses={200: RunAccountSerializer(many=True)},
    )
    def get(self, request: Request, run_id: str) -> Response:
        query = checked_query(BackendListQuery, request)
        rows = accounts_of_run(existing(run_id).id)
        accounts, has_next, total = backend_rows(rows, query, created="made_at", updated="changed_at")
        data = list(RunAccountSerializer(accounts, many=True).data)
        return backend_list(
            request, data, has_next=has_next, total=total, last_id=accounts[-1].id if accounts else None
        )


def existing(run_id: str) -> BillingRun:
    """The run of an address. Raises `NotFound`."""
    run = BillingRun.objects.filter(id=checked_id(run_id)).first()
    if run is None:
        raise NotFound(f"There is no billing run with the id {run_id}.")
    return run


def translated(operation: Callable[[], Result]) -> Result:
    """What the operation gives; its refusals as the API answers them. Raises `Conflict`, `Refused`."""
    try:
        return operation()
    except RunConflict as error:
        raise Conflict(str(error), code="wrong_state") from error
    except RunRefused as error:
        raise Refused(str(error)) from error


def shown(runs: list[BillingRun]) -> list[dict[str, Any]]:
    """The runs as the API shows them, with their figures."""
    figures = figures_of_runs(runs)
    for run in runs:
        run.figures = figures[run.id]  # type: ignore[attr-defined]
    return [dict(data) for data in BillingRunSerializer(runs, many=True).data]


def shown_by_id(run_id: int) -> dict[str, Any]:
    """The run as it is stored now."""
    return shown([BillingRun.objects.select_related("invoice_message").get(id=run_id)])[0]
