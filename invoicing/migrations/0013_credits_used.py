import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

# What a coupon or a credit is worth: not null in so many words, for a check that comes to null holds.
WORTH = models.Q(
    models.Q(
        ("amount__isnull", True),
        ("currency__isnull", True),
        ("percent__gt", 0),
        ("percent__isnull", False),
        ("percent__lte", 100),
    ),
    models.Q(("amount__gt", 0), ("amount__isnull", False), ("currency__isnull", False), ("percent__isnull", True)),
    _connector="OR",
)
# What is left of a credit: its amount less what documents used of it, drafts too, but for what posted credit notes took
# back of those lines. Null of a percent.
CREDIT_LEFT = """
CREATE FUNCTION tollbook_credit_left(credit bigint) RETURNS numeric LANGUAGE sql STABLE AS $$
  SELECT c.amount - coalesce(sum(u.amount - coalesce(note.given_back, 0)), 0)
  FROM account_credit c
  LEFT JOIN credit_use u ON u.credit_id = c.id
  LEFT JOIN LATERAL (
    SELECT sum(l.amount) AS given_back FROM invoice_line l JOIN invoice i ON i.id = l.invoice_id
    WHERE l.credited_line_id = u.line_id AND i.state = 'POSTED'
  ) note ON true
  WHERE c.id = credit
  GROUP BY c.id
$$
"""


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0012_documents")]

    operations = [
        migrations.RemoveConstraint(model_name="coupon", name="coupon_is_percent_or_amount"),
        migrations.RemoveConstraint(model_name="accountcredit", name="account_credit_is_percent_or_amount"),
        migrations.AddConstraint(
            model_name="coupon",
            constraint=models.CheckConstraint(condition=WORTH, name="coupon_is_percent_or_amount"),
        ),
        migrations.AddConstraint(
            model_name="accountcredit",
            constraint=models.CheckConstraint(condition=WORTH, name="account_credit_is_percent_or_amount"),
        ),
        migrations.RunSQL(CREDIT_LEFT, "DROP FUNCTION tollbook_credit_left(bigint)"),
        pgtrigger.migrations.AddTrigger(
            model_name='accountcredit',
            trigger=pgtrigger.compiler.Trigger(name='terms_stay_once_used', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."amount" IS DISTINCT FROM (NEW."amount") OR OLD."code" IS DISTINCT FROM (NEW."code") OR OLD."coupon_id" IS DISTINCT FROM (NEW."coupon_id") OR OLD."currency_id" IS DISTINCT FROM (NEW."currency_id") OR OLD."customer_id" IS DISTINCT FROM (NEW."customer_id") OR OLD."percent" IS DISTINCT FROM (NEW."percent") OR OLD."start_date" IS DISTINCT FROM (NEW."start_date"))', func="\n        IF EXISTS (SELECT FROM credit_use u WHERE u.credit_id = OLD.id) THEN\n          RAISE EXCEPTION 'The credit % was used: its terms stay. Give it an end date, and grant another.', OLD.code\n            USING ERRCODE = 'restrict_violation';\n        END IF;\n        RETURN NEW;\n        ", hash='125c2b517c18f4254ff40e5e18b97093acd3f742', operation='UPDATE', pgid='pgtrigger_terms_stay_once_used_f115b', table='account_credit', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='credituse',
            trigger=pgtrigger.compiler.Trigger(name='fits_its_line_and_credit', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE unfit text;', func="\n            SELECT n.line_id INTO unfit FROM new_rows n\n            LEFT JOIN invoice_line l ON l.id = n.line_id\n            LEFT JOIN invoice i ON i.id = l.invoice_id\n            LEFT JOIN account_credit c ON c.id = n.credit_id\n            WHERE l.id IS NULL OR c.id IS NULL OR l.kind <> 'CREDIT' OR c.customer_id <> i.customer_id\n              OR c.currency_id <> i.currency_id OR l.coupon_code <> c.code OR n.amount <> greatest(-l.amount, 0)\n            LIMIT 1;\n            IF unfit IS NOT NULL THEN\n              RAISE EXCEPTION\n                'The use of a credit does not fit line %: other customer, currency, code or amount, or no line.', unfit\n                USING ERRCODE = 'foreign_key_violation';\n            END IF;\n            PERFORM FROM account_credit c WHERE c.id IN (SELECT credit_id FROM new_rows)\n            ORDER BY c.id FOR NO KEY UPDATE;\n            SELECT c.code INTO unfit FROM account_credit c\n            WHERE c.id IN (SELECT credit_id FROM new_rows) AND tollbook_credit_left(c.id) < 0\n            LIMIT 1;\n            IF unfit IS NOT NULL THEN\n              RAISE EXCEPTION 'No more of the credit % can be used than is left of it.', unfit\n                USING ERRCODE = 'restrict_violation';\n            END IF;\n            RETURN NULL;\n            ", hash='b825d93439db45970aaca98e48fdc45c3514af51', level='STATEMENT', operation='INSERT', pgid='pgtrigger_fits_its_line_and_credit_bb937', referencing='REFERENCING NEW TABLE AS new_rows ', table='credit_use', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='credituse',
            trigger=pgtrigger.compiler.Trigger(name='posted_is_final_on_insert', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE refused text;', func="\n        -- Step by step: as one query, the condition on the state would come before the lock, so that drafts were not\n        -- locked; and the order could make it look at every posted invoice that there is.\n        WITH concerned (invoice_id) AS MATERIALIZED (SELECT l.invoice_id FROM invoice_line l WHERE l.id IN (SELECT line_id FROM changed_rows)), locked AS MATERIALIZED (\n          SELECT i.number, i.state FROM invoice i WHERE i.id IN (SELECT invoice_id FROM concerned)\n          ORDER BY i.id FOR SHARE\n        )\n        SELECT locked.number INTO refused FROM locked WHERE locked.state = 'POSTED' LIMIT 1;\n        IF refused IS NOT NULL THEN \nRAISE EXCEPTION 'Invoice % is posted: it does not change. Correct it with a credit note.', refused\n  USING ERRCODE = 'restrict_violation';\n END IF;\n        RETURN NULL;\n        ", hash='39bf1e5ace06cad5334ce06ee7a13f0e803178de', level='STATEMENT', operation='INSERT', pgid='pgtrigger_posted_is_final_on_insert_01fa8', referencing='REFERENCING NEW TABLE AS changed_rows ', table='credit_use', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='credituse',
            trigger=pgtrigger.compiler.Trigger(name='posted_is_final_on_delete', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE refused text;', func="\n        -- Step by step: as one query, the condition on the state would come before the lock, so that drafts were not\n        -- locked; and the order could make it look at every posted invoice that there is.\n        WITH concerned (invoice_id) AS MATERIALIZED (SELECT l.invoice_id FROM invoice_line l WHERE l.id IN (SELECT line_id FROM changed_rows)), locked AS MATERIALIZED (\n          SELECT i.number, i.state FROM invoice i WHERE i.id IN (SELECT invoice_id FROM concerned)\n          ORDER BY i.id FOR SHARE\n        )\n        SELECT locked.number INTO refused FROM locked WHERE locked.state = 'POSTED' LIMIT 1;\n        IF refused IS NOT NULL THEN \nRAISE EXCEPTION 'Invoice % is posted: it does not change. Correct it with a credit note.', refused\n  USING ERRCODE = 'restrict_violation';\n END IF;\n        RETURN NULL;\n        ", hash='25a85147cd21d3190624da89e08e943eddbc5703', level='STATEMENT', operation='DELETE', pgid='pgtrigger_posted_is_final_on_delete_18d32', referencing='REFERENCING OLD TABLE AS changed_rows ', table='credit_use', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='credituse',
            trigger=pgtrigger.compiler.Trigger(name='never_updated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='3cf8e3b09c1a0aece08f520f3d33160a05184d76', operation='UPDATE', pgid='pgtrigger_never_updated_c2158', table='credit_use', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='credituse',
            trigger=pgtrigger.compiler.Trigger(name='posted_is_final_on_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE refused text;', func="\n        SELECT i.number INTO refused FROM invoice i WHERE i.state = 'POSTED' LIMIT 1;\n        IF refused IS NOT NULL THEN \nRAISE EXCEPTION 'Invoice % is posted: it does not change. Correct it with a credit note.', refused\n  USING ERRCODE = 'restrict_violation';\n END IF;\n        RETURN NULL;\n        ", hash='e90b311250a8d0bbf93a34003d1ed43d3dfb87a8', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_posted_is_final_on_truncate_0efc2', table='credit_use', when='BEFORE')),
        ),
        migrations.RunSQL(
            """
            CREATE TRIGGER used_by_credit_use BEFORE DELETE ON invoice_line FOR EACH ROW
            EXECUTE FUNCTION tollbook_refuse_delete_of_used('credit_use', 'line_id')
            """,
            "DROP TRIGGER used_by_credit_use ON invoice_line",
        ),
    ]
