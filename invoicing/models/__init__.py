from invoicing.models.charges import Transaction, UsageCharge
from invoicing.models.corrections import PriceCorrection
from invoicing.models.documents import Invoice, InvoiceDelivery, InvoiceLine, InvoiceTax, NumberSeries
from invoicing.models.recurring import RecurringCharge

__all__ = [
    "Invoice",
    "InvoiceDelivery",
    "InvoiceLine",
    "InvoiceTax",
    "NumberSeries",
    "PriceCorrection",
    "RecurringCharge",
    "Transaction",
    "UsageCharge",
]
