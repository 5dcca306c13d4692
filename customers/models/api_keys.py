from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from customers.choices import Scope
from customers.models.customers import Customer


class ApiKey(models.Model):
    """A key of the REST APIs. The key itself is shown once; stored are its first characters and its SHA-256.

    It belongs to one staff user, and sees what that user may see, or to one customer, and sees that customer only.
    """

    prefix = models.CharField(max_length=12, editable=False, help_text="The first characters, to tell keys apart.")
    key_sha256 = models.CharField(max_length=64, unique=True, editable=False)
    name = models.CharField(max_length=100, blank=True, default="", help_text="What the key is for.")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="api_keys"
    )
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, null=True, blank=True, related_name="api_keys")
    scopes = ArrayField(models.CharField(max_length=20, choices=Scope), default=list)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        db_table = "api_key"
        ordering = ["-created_at"]
        verbose_name = "API key"
        verbose_name_plural = "API keys"
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=True, customer__isnull=False) | Q(user__isnull=False, customer__isnull=True),
                name="api_key_has_one_owner",
                violation_error_message="A key belongs to a user or to a customer: choose one.",
            ),
            models.CheckConstraint(condition=Q(scopes__contained_by=Scope.values), name="api_key_scopes_known"),
        ]

    def __str__(self) -> str:
        return f"{self.prefix}…"


class IdempotentRequest(models.Model):
    """The first answer to a write that was sent with an `Idempotency-Key`: asked again, it is given again.

    `response_body` is the text that was sent, so that the second answer is the first to the byte.
    """

    api_key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="idempotent_requests", db_index=False)
    key = models.CharField(max_length=255)
    request_line = models.TextField(help_text="Method and path with its query.")
    body_sha256 = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    response_body = models.TextField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "idempotent_request"
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["api_key", "key"], name="idempotent_request_key_once")]

    def __str__(self) -> str:
        return f"{self.request_line} {self.status}"
