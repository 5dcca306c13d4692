import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0010_content_of_documents")]

    operations = [
        pgtrigger.migrations.RemoveTrigger(model_name="transaction", name="touch_updated_at"),
        pgtrigger.migrations.AddTrigger(
            model_name="transaction",
            trigger=pgtrigger.compiler.Trigger(
                name="touch_updated_at",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.invoice_line_id IS NOT DISTINCT FROM NEW.invoice_line_id)",
                    func="NEW.updated_at = now(); RETURN NEW;",
                    hash="3a646a845a3cd59d20ea1305aea3bf270fa7a769",
                    operation="UPDATE",
                    pgid="pgtrigger_touch_updated_at_52004",
                    table="transaction",
                    when="BEFORE",
                ),
            ),
        ),
    ]
