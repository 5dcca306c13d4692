"""Addresses of the backend API that are invoicing's. Each with or without a trailing slash."""

from django.urls import re_path

from invoicing.api import account_credits, coupons, deliveries, legal_entities, receivables, recurring

ACCOUNT = r"^accountsReceivable/(?P<account_id>[^/]+)"
DELIVERY = r"^invoiceDeliveries/(?P<delivery_id>[^/]+)"

urlpatterns = [
    re_path(rf"{ACCOUNT}/entries/?$", receivables.AccountEntries.as_view()),
    re_path(rf"{ACCOUNT}/balance/?$", receivables.AccountBalance.as_view()),
    re_path(rf"{ACCOUNT}/statement/?$", receivables.AccountStatement.as_view()),
    re_path(r"^invoiceDeliveries/?$", deliveries.InvoiceDeliveryList.as_view()),
    re_path(rf"{DELIVERY}/?$", deliveries.InvoiceDeliveryDetail.as_view()),
    re_path(rf"{DELIVERY}/sendAgain/?$", deliveries.SendAgain.as_view()),
    re_path(rf"{DELIVERY}/resolve/?$", deliveries.ResolveDelivery.as_view()),
    re_path(r"^legalEntities/?$", legal_entities.LegalEntityList.as_view()),
    re_path(r"^legalEntities/(?P<entity_id>[^/]+)/?$", legal_entities.LegalEntityDetail.as_view()),
    re_path(r"^coupons/?$", coupons.CouponList.as_view()),
    re_path(r"^coupons/(?P<coupon_id>[^/]+)/?$", coupons.CouponDetail.as_view()),
    re_path(r"^accountCredits/?$", account_credits.AccountCreditList.as_view()),
    re_path(r"^accountCredits/(?P<credit_id>[^/]+)/?$", account_credits.AccountCreditDetail.as_view()),
    re_path(r"^recurringCharges/?$", recurring.RecurringChargeList.as_view()),
    re_path(r"^recurringCharges/(?P<charge_id>[^/]+)/?$", recurring.RecurringChargeDetail.as_view()),
]
