from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('invoicing', '0009_recurring_charges'),
    ]

    operations = [
        migrations.AddField(
            model_name='invoice',
            name='content_version',
            field=models.PositiveSmallIntegerField(db_default=1, default=1, editable=False),
        ),
        migrations.AddField(
            model_name='invoice',
            name='content_parts',
            field=models.TextField(blank=True, db_default='', default='', editable=False),
        ),
    ]
