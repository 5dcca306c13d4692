import pgtrigger.compiler
import pgtrigger.migrations
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0017_posted_invoices_counted")]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="invoice",
            name="credits_a_posted_invoice",
        ),
        migrations.RemoveConstraint(
            model_name="invoice",
            name="invoice_kind_follows_its_sign",
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="invoice",
            trigger=pgtrigger.compiler.Trigger(
                name="credits_a_posted_invoice",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (NEW."credited_invoice_id" IS NOT NULL)',
                    func="\n            PERFORM FROM invoice i WHERE i.id = NEW.credited_invoice_id FOR NO KEY UPDATE;\n            IF NOT EXISTS (\n              SELECT FROM invoice i\n              WHERE i.id = NEW.credited_invoice_id AND i.state = 'POSTED' AND i.kind = 'INVOICE'\n                AND i.customer_id = NEW.customer_id AND i.currency_id = NEW.currency_id\n                AND i.legal_entity_id IS NOT DISTINCT FROM NEW.legal_entity_id\n            ) THEN\n              RAISE EXCEPTION 'A credit note is for a posted invoice of its customer, currency and legal entity.'\n                USING ERRCODE = 'foreign_key_violation';\n            END IF;\n            -- Also over tax rates of which one comes to less than nothing.\n            IF NEW.total_amount + (\n              SELECT sum(i.total_amount) FROM invoice i\n              WHERE i.id <> NEW.id\n                AND (i.id = NEW.credited_invoice_id OR i.credited_invoice_id = NEW.credited_invoice_id)\n            ) < 0 THEN\n              RAISE EXCEPTION 'More would be taken back than was invoiced in all.' USING ERRCODE = 'restrict_violation';\n            END IF;\n            IF NEW.state = 'POSTED' AND EXISTS (\n              SELECT FROM invoice_line l\n              JOIN credited_charge k ON k.line_id = l.id\n              JOIN usage_charge c ON c.id = k.charge_id\n              CROSS JOIN LATERAL (\n                SELECT p.amount FROM price_correction p WHERE p.charge_id = c.id ORDER BY p.turn DESC LIMIT 1\n              ) p\n              WHERE l.invoice_id = NEW.id AND p.amount <> c.amount\n            ) THEN\n              RAISE EXCEPTION 'The credit note takes back charges whose prices were corrected, and not the corrections.'\n                USING ERRCODE = 'restrict_violation';\n            END IF;\n            RETURN NEW;\n            ",
                    hash="f95994f773d7a327b2f0e566262a795fa9d9adc9",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_credits_a_posted_invoice_c1aa7",
                    table="invoice",
                    when="BEFORE",
                ),
            ),
        ),
        # Documents that were posted before stay what they are.
        AddConstraintNotValid(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "INVOICE"), ("total_amount__gte", 0)),
                    models.Q(
                        ("kind", "CREDIT_NOTE"),
                        models.Q(("total_amount__lt", 0), ("net_amount__lt", 0), _connector="OR"),
                    ),
                    _connector="OR",
                ),
                name="invoice_kind_follows_its_sign",
            ),
        ),
    ]
