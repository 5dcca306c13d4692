"""`invoiceUsageReportCustomerProfiles` of the backend API."""

from typing import Any, cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from customers.api.idempotency import idempotent
from customers.api.lists import BACKEND_LIST_HEADERS, BackendListQuery
from customers.api.price_lists import PriceListView, checked, existing, page, translated
from customers.api.views import checked_query
from reports.api.profile_serializers import PRESETS, GivenSerializer, PresetListsSerializer, ProfileSerializer
from reports.models import InvoiceUsageReportProfile
from reports.operations.profiles import (
    ProfileValues,
    create_profile,
    delete_profile,
    give_profile,
    take_profile,
    update_profile,
)

TAGS = ["invoiceUsageReportCustomerProfiles"]
UPDATE = (
    "Members that are not given stay as they are. Posted invoices keep what they were posted with. 409 where a "
    "customer, a group or a draft that has the profile would be left outside of it."
)


class ProfileView(PriceListView):
    """Profiles are the staff's."""

    staff_model = "reports.invoiceusagereportprofile"


class ProfileList(ProfileView):
    @extend_schema(
        tags=TAGS,
        operation_id="invoiceUsageReportCustomerProfiles_list",
        summary="List report profiles by id",
        parameters=[BackendListQuery, *BACKEND_LIST_HEADERS],
        responses={200: ProfileSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        return page(request, shown_profiles(), ProfileSerializer, checked_query(BackendListQuery, request))

    @extend_schema(
        tags=TAGS,
        operation_id="invoiceUsageReportCustomerProfiles_create",
        summary="Make a report profile",
        request=ProfileSerializer,
        responses={201: ProfileSerializer},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        values = profile_values(checked(ProfileSerializer, request))
        profile = translated(lambda: create_profile(values=values))
        return Response(shown(profile.pk), status=201)


class ProfilePresets(ProfileView):
    @extend_schema(
        tags=TAGS,
        operation_id="invoiceUsageReportCustomerProfiles_presets",
        summary="List the preset values of profiles",
        responses={200: PresetListsSerializer},
    )
    def get(self, request: Request) -> Response:  # noqa: ARG002
        return Response(PRESETS)


class ProfileDetail(ProfileView):
    @extend_schema(
        tags=TAGS,
        operation_id="invoiceUsageReportCustomerProfiles_retrieve",
        summary="Show one report profile",
        responses={200: ProfileSerializer},
    )
    def get(self, request: Request, profile_id: str) -> Response:  # noqa: ARG002
        return Response(shown(existing(InvoiceUsageReportProfile.objects.all(), profile_id).pk))

    @extend_schema(
        tags=TAGS,
        operation_id="invoiceUsageReportCustomerProfiles_update",
        summary="Change a report profile",
        description=UPDATE,
        request=ProfileSerializer,
        responses={200: ProfileSerializer},
    )
    @idempotent
    def put(self, request: Request, profile_id: str) -> Response:
        return self._change(request, profile_id)

    @extend_schema(
        tags=TAGS,
        operation_id="invoiceUsageReportCustomerProfiles_partial_update",
        summary="Change a report profile",
        description=UPDATE,
        request=ProfileSerializer,
        responses={200: ProfileSerializer},
    )
    @idempotent
    def patch(self, request: Request, profile_id: str) -> Response:
        return self._change(request, profile_id)

    @extend_schema(
        tags=TAGS,
        operation_id="invoiceUsageReportCustomerProfiles_destroy",
        summary="Delete a report profile that nothing uses",
        description="409 where it is the default, or a customer, a group or an invoice has it; the answer names them.",
        request=None,
        responses={204: None},
    )
    @idempotent
    def delete(self, request: Request, profile_id: str) -> Response:  # noqa: ARG002
        profile = existing(InvoiceUsageReportProfile.objects.all(), profile_id)
        translated(lambda: delete_profile(profile_id=profile.pk))
        return Response(status=204)

    def _change(self, request: Request, profile_id: str) -> Response:
        profile = existing(InvoiceUsageReportProfile.objects.all(), profile_id)
        changes = profile_values(checked(ProfileSerializer, request, profile))
        translated(lambda: update_profile(profile_id=profile.pk, changes=changes))
        return Response(shown(profile.pk))


class ProfileGiving(ProfileView):
    """Who has a profile is a change of it, not a new one."""

    staff_verbs = {"POST": "change"}

    @extend_schema(
        tags=TAGS,
        operation_id="invoiceUsageReportCustomerProfiles_give",
        summary="Give a customer, a group or a draft invoice a report profile",
        description="In place of the one that it has. 422 where the profile is not for it, or is historic; 409 for a "
        "posted invoice.",
        request=GivenSerializer,
        responses={200: ProfileSerializer},
    )
    @idempotent
    def post(self, request: Request, profile_id: str) -> Response:
        profile = existing(InvoiceUsageReportProfile.objects.all(), profile_id)
        to = checked(GivenSerializer, request)
        translated(lambda: give_profile(profile_id=profile.pk, **to))
        return Response(shown(profile.pk))


class ProfileTaking(ProfileView):
    """Who has a profile is a change of it."""

    staff_verbs = {"POST": "change"}

    @extend_schema(
        tags=TAGS,
        operation_id="invoiceUsageReportCustomerProfiles_take",
        summary="Take a report profile away from a customer, a group or a draft invoice",
        description="Then what comes next counts again: the customer's, its group's, the default. 409 where it has "
        "another one or none of its own, or is posted.",
        request=GivenSerializer,
        responses={200: ProfileSerializer},
    )
    @idempotent
    def post(self, request: Request, profile_id: str) -> Response:
        profile = existing(InvoiceUsageReportProfile.objects.all(), profile_id)
        whose = checked(GivenSerializer, request)
        translated(lambda: take_profile(profile_id=profile.pk, **whose))
        return Response(shown(profile.pk))


def profile_values(validated: dict[str, Any]) -> ProfileValues:
    """The validated members as the operations take them: what they refer to by its id."""
    values = dict(validated)
    if "customer" in values:
        customer = values.pop("customer")
        values["customer_id"] = None if customer is None else customer.pk
    if "customer_groups" in values:
        values["customer_group_ids"] = [group.pk for group in values.pop("customer_groups")]
    return cast("ProfileValues", values)


def shown_profiles() -> QuerySet[InvoiceUsageReportProfile]:
    """Profiles with the groups that they name."""
    return InvoiceUsageReportProfile.objects.prefetch_related("customer_groups")


def shown(profile_id: int) -> dict[str, Any]:
    """The profile as it is stored now."""
    return dict(ProfileSerializer(shown_profiles().get(pk=profile_id)).data)
