import os
from decimal import Decimal
import pytest
from tests.runs import *
from tests.billing.taken import *
from tests.admin.test_usage_record_page import page as page_of

pytestmark = pytest.mark.django_db(transaction=True)

def test_shots(page, live_server, admin_user=None):
    acme, call = customer_at("0.003", name="Acme Telephony Ltd")
    record = use(acme, call, 40, number="R000123")
    draft = use(acme, call, 600, number="R000124", region="DE")
    use(acme, call, 1000)
    run = bill(name="January 2026")
    right = adjust(draft, usage_amount=Decimal(60), region="FR")
    def shot(name, url):
        page.goto(live_server.url + url); page.screenshot(path=f"/tmp/h4_{name}.png", full_page=True)
    shot("draft", page_of(right))
    shot("draft_cancel", page_of(right, "cancel"))
    post(run)
    shot("posted_cancel", page_of(record, "cancel"))
    shot("adjust", page_of(record, "adjust"))
    page.goto(live_server.url + page_of(record, "cancel"))
    page.fill("textarea", "Sent twice by the switch.")
    page.click("button:has-text('Cancel…')")
    page.screenshot(path="/tmp/h4_cancelled.png", full_page=True)
    post(bill(**FEBRUARY))
    from invoicing.models import Invoice, Transaction
    from django.urls import reverse
    shot("credit", reverse("admin:invoicing_invoice_change", args=[Invoice.objects.latest("id").pk]))
    shot("reversal", reverse("admin:invoicing_transaction_change", args=[Transaction.objects.get().pk]))
