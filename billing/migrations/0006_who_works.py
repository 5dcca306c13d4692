from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0005_lifecycle_of_runs")]

    operations = [
        migrations.AddField(
            model_name="runchunk",
            name="duration_ms",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="runchunk",
            name="worker",
            field=models.CharField(blank=True, db_default="", default="", max_length=100),
        ),
        migrations.AddIndex(
            model_name="runaccount",
            index=models.Index(
                condition=models.Q(("outcome__in", ["held", "failed"])),
                fields=["outcome", "id"],
                name="run_account_to_decide",
            ),
        ),
    ]
