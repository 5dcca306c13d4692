import django.db.models.deletion
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("invoicing", "0014_credit_notes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="invoicedelivery",
            name="invoice_delivery_state_known",
        ),
        migrations.RemoveIndex(
            model_name="invoicedelivery",
            name="invoice_delivery_open",
        ),
        migrations.AddField(
            model_name="invoicedelivery",
            name="asked_by",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="invoicedelivery",
            name="replaces",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="replacements",
                to="invoicing.invoicedelivery",
            ),
        ),
        migrations.AddField(
            model_name="invoicedelivery",
            name="updated_at",
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
        ),
        migrations.AlterField(
            model_name="invoicedelivery",
            name="recipient",
            field=models.CharField(blank=True, max_length=300),
        ),
        migrations.AlterField(
            model_name="invoicedelivery",
            name="state",
            field=models.CharField(
                choices=[
                    ("WAITING", "Waiting"),
                    ("SENDING", "Being sent"),
                    ("SENT", "Sent"),
                    ("REFUSED", "Refused"),
                    ("BOUNCED", "Came back"),
                    ("UNCERTAIN", "Not known whether it was sent"),
                    ("NOT_SENT", "Not to be sent"),
                ],
                db_default="SENT",
                default="SENT",
                max_length=10,
            ),
        ),
        migrations.AddIndex(
            model_name="invoicedelivery",
            index=models.Index(
                condition=models.Q(("channel__in", ["EMAIL", "PORTAL"]), ("state", "WAITING")),
                fields=["id"],
                name="invoice_delivery_waiting",
            ),
        ),
        migrations.AddIndex(
            model_name="invoicedelivery",
            index=models.Index(
                condition=models.Q(("state", "SENDING")), fields=["claimed_at"], name="invoice_delivery_sending"
            ),
        ),
        migrations.AddIndex(
            model_name="invoicedelivery",
            index=models.Index(
                condition=models.Q(("state__in", ["REFUSED", "BOUNCED", "UNCERTAIN"])),
                fields=["id"],
                name="invoice_delivery_undelivered",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="invoicedelivery",
            trigger=pgtrigger.compiler.Trigger(
                name="touch_updated_at",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="NEW.updated_at = now(); RETURN NEW;",
                    hash="7d2cd5e1a4f08c0ecbe69793ebb7ee6813a04399",
                    operation="UPDATE",
                    pgid="pgtrigger_touch_updated_at_3500e",
                    table="invoice_delivery",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="invoicedelivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["WAITING", "SENDING", "SENT", "REFUSED", "BOUNCED", "UNCERTAIN", "NOT_SENT"])
                ),
                name="invoice_delivery_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoicedelivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "SENDING"), _negated=True),
                    models.Q(("claimed_at__isnull", False), models.Q(("message_id", ""), _negated=True)),
                    _connector="OR",
                ),
                name="invoice_delivery_sending_since_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoicedelivery",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["WAITING", "SENDING"])),
                fields=("invoice", "channel", "recipient"),
                name="invoice_delivery_under_way_once",
                violation_error_message="It waits already, or is being sent, to this recipient.",
            ),
        ),
    ]
