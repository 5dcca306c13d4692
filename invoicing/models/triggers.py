"""Triggers by which the database itself refuses to change what was posted, whoever asks and however.

A change to a part of a document locks its invoice row against posting (`FOR SHARE`), so that nothing slips into a
document while another transaction posts it.
"""

import pgtrigger

REFUSED = """
RAISE EXCEPTION 'Invoice % is posted: it does not change. Correct it with a credit note.', refused
  USING ERRCODE = 'restrict_violation';
"""


def _refuse(*, on: str, rows: str, invoices: str) -> pgtrigger.Trigger:
    return pgtrigger.Trigger(
        name=f"posted_is_final_on_{on}",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation={"insert": pgtrigger.Insert, "delete": pgtrigger.Delete}[on],
        referencing=pgtrigger.Referencing(**{{"insert": "new", "delete": "old"}[on]: rows}),
        declare=[("refused", "text")],
        func=f"""
        -- Step by step: as one query, the condition on the state would come before the lock, so that drafts were not
        -- locked; and the order could make it look at every posted invoice that there is.
        WITH concerned (invoice_id) AS MATERIALIZED ({invoices}), locked AS MATERIALIZED (
          SELECT i.number, i.state FROM invoice i WHERE i.id IN (SELECT invoice_id FROM concerned)
          ORDER BY i.id FOR SHARE
        )
        SELECT locked.number INTO refused FROM locked WHERE locked.state = 'POSTED' LIMIT 1;
        IF refused IS NOT NULL THEN {REFUSED} END IF;
        RETURN NULL;
        """,
    )


def part_of_document(invoices: str) -> list[pgtrigger.Trigger]:
    """Rows of a document are written and deleted while it is a draft, never updated.

    `invoices` is a subquery over the transition table `changed_rows` that gives the invoice ids concerned.
    """
    return [
        _refuse(on="insert", rows="changed_rows", invoices=invoices),
        _refuse(on="delete", rows="changed_rows", invoices=invoices),
        pgtrigger.Protect(name="never_updated", operation=pgtrigger.Update),
        no_truncate(),
    ]


def fits_its_line() -> pgtrigger.Trigger:
    """Charges are on a line that exists, of an invoice of their customer, with the line's rate.

    The record itself is not looked up: posted records are never deleted, and that would cost as much as writing the
    charge. Planned for the rows at hand (EXECUTE), as in `references_exist`.
    """
    return pgtrigger.Trigger(
        name="fits_its_line",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        referencing=pgtrigger.Referencing(new="new_rows"),
        declare=[("unfit", "text")],
        func="""
        EXECUTE $check$
          SELECT n.record_id FROM new_rows n
          LEFT JOIN invoice_line l ON l.id = n.line_id
          LEFT JOIN invoice i ON i.id = l.invoice_id
          WHERE l.id IS NULL OR i.customer_id <> n.customer_id OR l.rate_id IS DISTINCT FROM n.rate_id LIMIT 1
        $check$ INTO unfit;
        IF unfit IS NOT NULL THEN
          RAISE EXCEPTION 'The charge of record % does not fit its line: other customer or rate, or no line.', unfit
            USING ERRCODE = 'foreign_key_violation';
        END IF;
        RETURN NULL;
        """,
    )


def takes_back_its_charge() -> pgtrigger.Trigger:
    """A reversal is equal and opposite to a charge on a posted invoice, with its customer, product and tax rate."""
    return pgtrigger.Trigger(
        name="takes_back_its_charge",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        condition=pgtrigger.Q(new__reversed_charge__isnull=False),
        func="""
        IF NOT EXISTS (
          SELECT FROM usage_charge c
          JOIN invoice_line l ON l.id = c.line_id
          JOIN invoice i ON i.id = l.invoice_id
          WHERE c.id = NEW.reversed_charge_id AND i.state = 'POSTED' AND c.customer_id = NEW.customer_id
            AND i.currency_id = NEW.currency_id AND NEW.quantity * NEW.unit_price = -c.amount
            AND l.tax_rate_id = NEW.tax_rate_id AND l.product_id IS NOT DISTINCT FROM NEW.product_id
        ) THEN
          RAISE EXCEPTION 'A reversal is exactly what a charge on a posted invoice of the customer came to, taken back.'
            USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
        """,
    )


def reversal_stays() -> pgtrigger.Trigger:
    """A reversal stays as it was made: without it, usage that does not stand would stay charged."""
    return pgtrigger.Trigger(
        name="reversal_stays",
        when=pgtrigger.Before,
        operation=pgtrigger.Update | pgtrigger.Delete,
        condition=pgtrigger.Q(old__reversed_charge__isnull=False),
        func="""
        IF TG_OP = 'UPDATE' THEN
          -- It is put on lines, and drafts give it back. The amount is only computed after this trigger.
          IF to_jsonb(NEW) - MAY_CHANGE = to_jsonb(OLD) - MAY_CHANGE THEN
            RETURN NEW;
          END IF;
        END IF;
        RAISE EXCEPTION 'Usage that was taken back stays taken back: the transaction does not change.'
          USING ERRCODE = 'restrict_violation';
        """.replace("MAY_CHANGE", "ARRAY['invoice_line_id', 'created_in', 'amount', 'updated_at']"),
    )


def correction_stays() -> pgtrigger.Trigger:
    """A price correction stays as it was made: what its charges come to is remembered (`PriceCorrection`)."""
    return pgtrigger.Trigger(
        name="correction_stays",
        when=pgtrigger.Before,
        operation=pgtrigger.Update | pgtrigger.Delete,
        condition=pgtrigger.Q(old__kind="CORRECTION"),
        func="""
        IF TG_OP = 'UPDATE' THEN
          -- It is put on lines, and drafts give it back. The amount is only computed after this trigger.
          IF to_jsonb(NEW) - MAY_CHANGE = to_jsonb(OLD) - MAY_CHANGE THEN
            RETURN NEW;
          END IF;
        END IF;
        RAISE EXCEPTION 'A price that was corrected stays corrected: the transaction does not change.'
          USING ERRCODE = 'restrict_violation';
        """.replace("MAY_CHANGE", "ARRAY['invoice_line_id', 'created_in', 'amount', 'updated_at']"),
    )


def charged_period_stays() -> pgtrigger.Trigger:
    """What a run made of a recurring charge stays as it was made, whatever becomes of the charge's terms.

    Only a run that is undone deletes it again.
    """
    return pgtrigger.Trigger(
        name="charged_period_stays",
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        condition=pgtrigger.Q(old__recurring_charge__isnull=False),
        func="""
        -- It is put on lines, and drafts give it back. The amount is only computed after this trigger.
        IF to_jsonb(NEW) - MAY_CHANGE = to_jsonb(OLD) - MAY_CHANGE THEN
          RETURN NEW;
        END IF;
        RAISE EXCEPTION 'A period of a recurring charge stays as it was charged: the transaction does not change.'
          USING ERRCODE = 'restrict_violation';
        """.replace("MAY_CHANGE", "ARRAY['invoice_line_id', 'created_in', 'amount', 'updated_at']"),
    )


def keeps_billed_until(on: str) -> pgtrigger.Trigger:
    """Keeps for each customer the latest end of a period of its documents (`customers.models.BilledUntil`)."""
    latest = {
        "insert": """
        INSERT INTO customer_billed_until (customer_id, day)
        SELECT customer_id, max(period_end) FROM changed_rows WHERE NOT is_manual GROUP BY customer_id
        ON CONFLICT (customer_id) DO UPDATE SET day = excluded.day WHERE excluded.day > customer_billed_until.day;
        """,
        "delete": """
        DELETE FROM customer_billed_until b USING (SELECT DISTINCT customer_id FROM changed_rows) d
        WHERE b.customer_id = d.customer_id;
        INSERT INTO customer_billed_until (customer_id, day)
        SELECT i.customer_id, max(i.period_end) FROM invoice i
        WHERE i.customer_id IN (SELECT customer_id FROM changed_rows) AND NOT i.is_manual GROUP BY i.customer_id;
        """,
    }
    return pgtrigger.Trigger(
        name=f"keeps_billed_until_on_{on}",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation={"insert": pgtrigger.Insert, "delete": pgtrigger.Delete}[on],
        referencing=pgtrigger.Referencing(**{{"insert": "new", "delete": "old"}[on]: "changed_rows"}),
        func=f"{latest[on]} RETURN NULL;",
    )


def counts_posted(on: str) -> pgtrigger.Trigger:
    """Counts the documents that are posted, by their periods (`PostedInvoiceCount`). Posted ones stay what they are."""
    newly = {
        "insert": "changed_rows n WHERE n.state = 'POSTED'",
        "update": "changed_rows n JOIN old_rows o ON o.id = n.id WHERE n.state = 'POSTED' AND o.state <> 'POSTED'",
    }
    rows = {"insert": {"new": "changed_rows"}, "update": {"new": "changed_rows", "old": "old_rows"}}
    return pgtrigger.Trigger(
        name=f"counts_posted_on_{on}",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation={"insert": pgtrigger.Insert, "update": pgtrigger.Update}[on],
        referencing=pgtrigger.Referencing(**rows[on]),
        declare=[("counted", "record")],
        func=f"""
        FOR counted IN
          SELECT n.period_start, n.period_end, count(*) AS document_count FROM {newly[on]} GROUP BY 1, 2 ORDER BY 1, 2
        LOOP
          UPDATE posted_invoice_count p SET document_count = p.document_count + counted.document_count
          WHERE p.id = (
            SELECT q.id FROM posted_invoice_count q
            WHERE q.period_start = counted.period_start AND q.period_end = counted.period_end
            ORDER BY q.id LIMIT 1 FOR UPDATE SKIP LOCKED
          );
          IF NOT FOUND THEN
            INSERT INTO posted_invoice_count (period_start, period_end, document_count)
            VALUES (counted.period_start, counted.period_end, counted.document_count);
          END IF;
        END LOOP;
        RETURN NULL;
        """,
    )


def goes_on_from_the_last_number() -> pgtrigger.Trigger:
    """Once a series has given a number, its next one is the last one plus one, checked when a transaction commits."""
    return pgtrigger.Trigger(
        name="goes_on_from_the_last_number",
        when=pgtrigger.After,
        operation=pgtrigger.UpdateOf("next_number"),
        timing=pgtrigger.Deferred,
        declare=[("last_number", "bigint")],
        func="""
        SELECT max(i.sequence_number) INTO last_number FROM invoice i WHERE i.series_id = NEW.id;
        IF last_number IS NOT NULL
          AND (SELECT s.next_number FROM number_series s WHERE s.id = NEW.id) <> last_number + 1 THEN
          RAISE EXCEPTION 'The series has given number %: the next one is %.', last_number, last_number + 1
            USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NULL;
        """,
    )


def no_truncate() -> pgtrigger.Trigger:
    """Refuse TRUNCATE while a posted invoice exists."""
    return pgtrigger.Trigger(
        name="posted_is_final_on_truncate",
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Truncate,
        declare=[("refused", "text")],
        func=f"""
        SELECT i.number INTO refused FROM invoice i WHERE i.state = 'POSTED' LIMIT 1;
        IF refused IS NOT NULL THEN {REFUSED} END IF;
        RETURN NULL;
        """,
    )


def document() -> list[pgtrigger.Trigger]:
    """The document itself: a draft may be posted or deleted, a posted one stays as it is."""
    return [
        pgtrigger.Trigger(
            name="posted_is_final",
            when=pgtrigger.Before,
            operation=pgtrigger.Update | pgtrigger.Delete,
            condition=pgtrigger.Q(old__state="POSTED"),
            declare=[("refused", "text")],
            func=f"refused = OLD.number; {REFUSED}",
        ),
        no_truncate(),
        keeps_billed_until("insert"),
        keeps_billed_until("delete"),
        counts_posted("insert"),
        counts_posted("update"),
    ]
