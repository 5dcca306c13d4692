import catalog.models.fields
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('invoicing', '0007_price_corrections'),
    ]

    operations = [
        # Those that are there were there in every run so far: as transaction 0 had written them, which all snapshots saw.
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    """
                    ALTER TABLE price_correction ADD COLUMN created_in xid8 NOT NULL DEFAULT '0';
                    ALTER TABLE price_correction ALTER COLUMN created_in SET DEFAULT pg_current_xact_id();
                    """,
                    'ALTER TABLE price_correction DROP COLUMN created_in',
                ),
            ],
            state_operations=[
                migrations.AddField(
                    model_name='pricecorrection',
                    name='created_in',
                    field=catalog.models.fields.TransactionIdField(db_default=catalog.models.fields.CurrentTransactionId(), editable=False),
                ),
            ],
        ),
    ]
