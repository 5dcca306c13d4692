from invoicing.models.charges import Transaction, UsageCharge
from invoicing.models.corrections import PriceCorrection
from invoicing.models.counts import PostedInvoiceCount
from invoicing.models.credits import AccountCredit, Coupon, CreditedCharge, CreditUse
from invoicing.models.deliveries import InvoiceDelivery
from invoicing.models.documents import Invoice, InvoiceLine, InvoiceTax, NumberSeries
from invoicing.models.entities import CustomerInvoicing, LegalEntity
from invoicing.models.recurring import RecurringCharge
from invoicing.models.rendered import RenderedInvoice

__all__ = [
    "AccountCredit",
    "Coupon",
    "CreditUse",
    "CreditedCharge",
    "CustomerInvoicing",
    "Invoice",
    "InvoiceDelivery",
    "InvoiceLine",
    "InvoiceTax",
    "LegalEntity",
    "NumberSeries",
    "PostedInvoiceCount",
    "PriceCorrection",
    "RecurringCharge",
    "RenderedInvoice",
    "Transaction",
    "UsageCharge",
]
