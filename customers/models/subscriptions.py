import pghistory
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Now

from catalog.models import Product
from catalog.models.triggers import touch_updated_at
from customers.choices import ActionKind, LifeCycleState
from customers.models.customers import Campaign, Customer, Site


@pghistory.track()
class Subscription(models.Model):
    """What a customer has agreed to have; its services carry the identifiers that usage arrives with."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="subscriptions")
    number = models.CharField(max_length=200, unique=True)
    life_cycle_state = models.CharField(max_length=10, choices=LifeCycleState, default=LifeCycleState.ACTIVE)
    start_date = models.DateField()
    end_date = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "subscription"
        ordering = ["number"]
        constraints = [
            models.CheckConstraint(
                condition=Q(end_date__isnull=True) | Q(end_date__gt=F("start_date")),
                name="subscription_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(life_cycle_state__in=LifeCycleState.values), name="subscription_state_known"
            ),
            # What the composite foreign key of a service refers to.
            models.UniqueConstraint(fields=["id", "customer"], name="subscription_with_its_customer"),
        ]
        triggers = [touch_updated_at()]

    def __str__(self) -> str:
        return self.number


@pghistory.track()
class SubscriptionService(models.Model):
    """One service of a subscription: the identifier (a telephone number, a resource id) that usage arrives with.

    An identifier belongs to one service at a time: from `start_date` on and before `end_date`. The customer is the
    subscription's; a composite foreign key in the database holds the two together.
    """

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="services")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="services")
    identifier = models.CharField(max_length=300)
    product = models.ForeignKey(
        Product,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="services",
        help_text="The product of usage that does not name one.",
    )
    site = models.ForeignKey(Site, on_delete=models.PROTECT, null=True, blank=True, related_name="services")
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, null=True, blank=True, related_name="services")
    life_cycle_state = models.CharField(max_length=10, choices=LifeCycleState, default=LifeCycleState.ACTIVE)
    start_date = models.DateField()
    end_date = models.DateField(null=True, blank=True, help_text="First day on which it no longer is the customer's.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "subscription_service"
        ordering = ["identifier", "start_date"]
        constraints = [
            ExclusionConstraint(
                name="service_identifier_has_one_owner",
                expressions=[
                    ("identifier", RangeOperators.EQUAL),
                    (Func(F("start_date"), F("end_date"), function="daterange"), RangeOperators.OVERLAPS),
                ],
                violation_error_message="This identifier belongs to another service in that time.",
            ),
            models.CheckConstraint(
                condition=Q(end_date__isnull=True) | Q(end_date__gt=F("start_date")), name="service_ends_after_start"
            ),
            models.CheckConstraint(condition=~Q(identifier=""), name="service_identifier_not_empty"),
            models.CheckConstraint(condition=Q(life_cycle_state__in=LifeCycleState.values), name="service_state_known"),
        ]
        triggers = [touch_updated_at()]

    def __str__(self) -> str:
        return self.identifier


class SubscriptionAction(models.Model):
    """What was done to a subscription on a day; usage may name the action that it belongs to."""

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="actions")
    number = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=10, choices=ActionKind)
    life_cycle_state = models.CharField(max_length=10, choices=LifeCycleState, default=LifeCycleState.ACTIVE)
    executed_on = models.DateField()
    note = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "subscription_action"
        ordering = ["number"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=ActionKind.values), name="subscription_action_kind_known"),
            models.CheckConstraint(
                condition=Q(life_cycle_state__in=LifeCycleState.values), name="subscription_action_state_known"
            ),
        ]
        triggers = [touch_updated_at()]

    def __str__(self) -> str:
        return self.number
