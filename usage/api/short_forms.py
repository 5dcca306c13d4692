"""How an object is shown inside another: by its ids and names."""

from typing import Any

from rest_framework import serializers

from catalog.models import Product
from customers.api.fields import IdField
from customers.choices import LifeCycleState
from customers.models import AccountsReceivable, Subscription, SubscriptionAction, SubscriptionService


class AccountsReceivableShortForm(serializers.Serializer[AccountsReceivable]):
    id = IdField()
    number = serializers.CharField()
    name = serializers.CharField()
    life_cycle_state = serializers.ChoiceField(choices=LifeCycleState.choices)


class SubscriptionShortForm(serializers.Serializer[Subscription]):
    id = IdField()
    number = serializers.CharField()
    life_cycle_state = serializers.ChoiceField(choices=LifeCycleState.choices)


class ProductShortForm(serializers.Serializer[Product]):
    id = IdField()
    code = serializers.CharField()
    description = serializers.SerializerMethodField(help_text="The product's description, else its name.")

    def get_description(self, product: Product) -> str:
        return product.description or product.name


class SubscriptionServiceShortForm(serializers.Serializer[SubscriptionService]):
    id = IdField()
    identifier = serializers.CharField()
    life_cycle_state = serializers.ChoiceField(choices=LifeCycleState.choices)
    product = ProductShortForm(allow_null=True)


class SubscriptionActionShortForm(serializers.Serializer[SubscriptionAction]):
    id = IdField()
    number = serializers.CharField()
    life_cycle_state = serializers.ChoiceField(choices=LifeCycleState.choices)
    executed_on = serializers.DateField()


class NamedShortForm(serializers.Serializer[Any]):
    """A source system or a usage type."""

    id = IdField()
    name = serializers.CharField()
    alternative_code = serializers.CharField()
    description = serializers.CharField()
