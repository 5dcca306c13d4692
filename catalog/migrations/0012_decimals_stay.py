import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0011_tax_rates_seen"),
    ]

    operations = [
        pgtrigger.migrations.AddTrigger(
            model_name="currency",
            trigger=pgtrigger.compiler.Trigger(
                name="keep_minor_units",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."minor_units" IS DISTINCT FROM (NEW."minor_units"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="96ac6c750edff5913619379b133632b784751f53",
                    operation="UPDATE",
                    pgid="pgtrigger_keep_minor_units_67b63",
                    table="currency",
                    when="BEFORE",
                ),
            ),
        ),
    ]
