import pghistory
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from catalog.models.triggers import touch_updated_at
from customers.models import Customer
from invoicing.choices import DeliveryChannel


@pghistory.track()
class LegalEntity(models.Model):
    """Who sells: what documents say of the seller, and how they look. Of several one is the default.

    `template` is a Typst source that replaces the one that comes with the project; empty: that one. `country` is the
    ISO 3166 code of two letters.
    """

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=200)
    address = models.TextField(blank=True, default="", help_text="As on an envelope, line by line.")
    country = models.CharField(max_length=2, blank=True, default="")
    vat_number = models.CharField("VAT number", max_length=40, blank=True, default="")
    registration = models.TextField(
        blank=True, default="", help_text="Register, managing directors: what the law wants at the foot of a letter."
    )
    email = models.EmailField(blank=True, default="")
    phone = models.CharField(max_length=50, blank=True, default="")
    website = models.CharField(max_length=200, blank=True, default="")
    payment_details = models.TextField(blank=True, default="", help_text="Bank, IBAN, BIC: where customers pay to.")
    logo = models.FileField(upload_to="logos/", blank=True, help_text="PNG, JPEG or SVG.")
    template = models.TextField(blank=True, default="")
    is_default = models.BooleanField(default=False, help_text="For customers that have none of their own.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "legal_entity"
        ordering = ["code"]
        verbose_name_plural = "legal entities"
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="legal_entity_one_default"
            ),
            models.CheckConstraint(
                condition=Q(country="") | Q(country__regex=r"^[A-Z]{2}$"), name="legal_entity_country_is_iso"
            ),
        ]
        triggers = [touch_updated_at()]

    def __str__(self) -> str:
        return self.name


@pghistory.track()
class CustomerInvoicing(models.Model):
    """Who sells to a customer, and how its documents are sent; without a row: the default one, by e-mail if it has one.

    `sends_link` sends a signed link instead of the files.
    """

    customer = models.OneToOneField(Customer, on_delete=models.PROTECT, related_name="invoicing")
    legal_entity = models.ForeignKey(
        LegalEntity,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="customers",
        help_text="Empty: the default.",
    )
    channel = models.CharField(max_length=10, choices=DeliveryChannel, default=DeliveryChannel.EMAIL)
    sends_link = models.BooleanField("a link instead of the files", default=False)

    class Meta:
        db_table = "customer_invoicing"
        ordering = ["customer"]
        verbose_name_plural = "customer invoicing"
        constraints = [
            models.CheckConstraint(
                condition=Q(channel__in=DeliveryChannel.values), name="customer_invoicing_channel_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.channel}"
