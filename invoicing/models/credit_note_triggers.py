"""Triggers by which the database itself refuses to take back more than was invoiced, whoever asks and however.

What is taken back is looked at with the row of the invoice locked (`FOR NO KEY UPDATE`), so that of two who credit the
same, the second one sees the first. Who takes a charge back in another way (a reversal, a corrected price) locks it too
(`FOR SHARE`), and so waits for those who credit it.
"""

import pgtrigger

EXISTS = "USING ERRCODE = 'restrict_violation'"
FITS = "USING ERRCODE = 'foreign_key_violation'"


def _statement(name: str, declare: list[tuple[str, str]], func: str) -> pgtrigger.Trigger:
    return pgtrigger.Trigger(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        referencing=pgtrigger.Referencing(new="new_rows"),
        declare=declare,
        func=func,
    )


def credits_a_posted_invoice() -> list[pgtrigger.Trigger]:
    """A credit note is for a posted invoice of the same customer, currency and legal entity, and stays so;

    posted, it has taken back with its charges what their prices were corrected by.
    """
    return [
        pgtrigger.Trigger(
            name="credits_a_posted_invoice",
            when=pgtrigger.Before,
            operation=pgtrigger.Insert | pgtrigger.Update,
            condition=pgtrigger.Q(new__credited_invoice__isnull=False),
            func=f"""
            PERFORM FROM invoice i WHERE i.id = NEW.credited_invoice_id FOR NO KEY UPDATE;
            IF NOT EXISTS (
              SELECT FROM invoice i
              WHERE i.id = NEW.credited_invoice_id AND i.state = 'POSTED' AND i.kind = 'INVOICE'
                AND i.customer_id = NEW.customer_id AND i.currency_id = NEW.currency_id
                AND i.legal_entity_id IS NOT DISTINCT FROM NEW.legal_entity_id
            ) THEN
              RAISE EXCEPTION 'A credit note is for a posted invoice of its customer, currency and legal entity.'
                {FITS};
            END IF;
            -- Also over tax rates of which one comes to less than nothing.
            IF NEW.total_amount + (
              SELECT sum(i.total_amount) FROM invoice i
              WHERE i.id <> NEW.id
                AND (i.id = NEW.credited_invoice_id OR i.credited_invoice_id = NEW.credited_invoice_id)
            ) < 0 THEN
              RAISE EXCEPTION 'More would be taken back than was invoiced in all.' {EXISTS};
            END IF;
            IF NEW.state = 'POSTED' AND EXISTS (
              SELECT FROM invoice_line l
              JOIN credited_charge k ON k.line_id = l.id
              JOIN usage_charge c ON c.id = k.charge_id
              CROSS JOIN LATERAL (
                SELECT p.amount FROM price_correction p WHERE p.charge_id = c.id ORDER BY p.turn DESC LIMIT 1
              ) p
              WHERE l.invoice_id = NEW.id AND p.amount <> c.amount
            ) THEN
              RAISE EXCEPTION 'The credit note takes back charges whose prices were corrected, and not the corrections.'
                {EXISTS};
            END IF;
            RETURN NEW;
            """,
        ),
        _credited_invoice_stays(),
    ]


def _credited_invoice_stays() -> pgtrigger.Trigger:
    return pgtrigger.Protect(
        name="credited_invoice_stays",
        operation=pgtrigger.Update,
        condition=pgtrigger.Condition("OLD.credited_invoice_id IS DISTINCT FROM NEW.credited_invoice_id"),
    )


def line_taken_back_once() -> pgtrigger.Trigger:
    """A line of a credit note takes back a line of the invoice that it is for, and all of them together at most it.

    A line of usage in parts, another one whole.
    """
    return _statement(
        "taken_back_at_most_once",
        [("refused", "text")],
        f"""
        IF NOT EXISTS (SELECT FROM new_rows WHERE credited_line_id IS NOT NULL) THEN RETURN NULL; END IF;
        PERFORM FROM invoice i
        WHERE i.id IN (SELECT l.invoice_id FROM new_rows n JOIN invoice_line l ON l.id = n.credited_line_id)
        ORDER BY i.id FOR NO KEY UPDATE;
        SELECT n.line_number INTO refused
        FROM new_rows n
        JOIN invoice i ON i.id = n.invoice_id
        LEFT JOIN invoice_line l ON l.id = n.credited_line_id AND l.invoice_id = i.credited_invoice_id
          AND l.kind = n.kind AND l.tax_rate_id = n.tax_rate_id AND l.product_id IS NOT DISTINCT FROM n.product_id
          AND l.rate_id IS NOT DISTINCT FROM n.rate_id
        WHERE n.credited_line_id IS NOT NULL AND l.id IS NULL LIMIT 1;
        IF refused IS NOT NULL THEN
          RAISE EXCEPTION 'Line % does not fit what it takes back: a line of the credited invoice, of its kind, '
            'product, rate and tax rate.', refused {FITS};
        END IF;
        SELECT l.line_number INTO refused
        FROM (SELECT DISTINCT credited_line_id AS id FROM new_rows WHERE credited_line_id IS NOT NULL) n
        JOIN invoice_line l ON l.id = n.id
        CROSS JOIN LATERAL (
          SELECT sum(k.amount) AS amount, count(*) AS line_count FROM invoice_line k WHERE k.credited_line_id = l.id
        ) k
        WHERE CASE
          WHEN l.charge_count = 0 THEN k.line_count > 1 OR k.amount <> -l.amount
          WHEN l.amount >= 0 THEN k.amount NOT BETWEEN -l.amount AND 0
          ELSE k.amount NOT BETWEEN 0 AND -l.amount
        END LIMIT 1;
        IF refused IS NOT NULL THEN
          RAISE EXCEPTION 'Line % of the invoice would be taken back more than once.', refused {EXISTS};
        END IF;
        RETURN NULL;
        """,
    )


def takes_back_its_charges() -> pgtrigger.Trigger:
    """A line of a credit note says what the charges that it takes back come to; checked when a transaction ends."""
    return pgtrigger.Trigger(
        name="takes_back_its_charges",
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        timing=pgtrigger.Deferred,
        condition=pgtrigger.Q(new__credited_line__isnull=False),
        func=f"""
        IF EXISTS (
          SELECT FROM invoice_line n
          JOIN invoice_line l ON l.id = n.credited_line_id
          CROSS JOIN LATERAL (
            SELECT count(*) AS charge_count, coalesce(sum(c.amount), 0) AS amount
            FROM credited_charge k JOIN usage_charge c ON c.id = k.charge_id WHERE k.line_id = n.id
          ) k
          WHERE n.id = NEW.id AND (
            k.charge_count <> n.charge_count OR (l.charge_count > 0) <> (k.charge_count > 0)
            OR n.exact_amount <> CASE WHEN l.charge_count > 0 THEN -k.amount ELSE -l.exact_amount END
          )
        ) THEN
          RAISE EXCEPTION 'Line % of the credit note is not what the charges that it takes back come to.',
            NEW.line_number {EXISTS};
        END IF;
        RETURN NULL;
        """,
    )


def tax_taken_back_once() -> pgtrigger.Trigger:
    """For each tax rate all credit notes of an invoice take back at most its net and its tax, by its percent."""
    return _statement(
        "taken_back_at_most_once",
        [("refused", "text")],
        f"""
        IF NOT EXISTS (
          SELECT FROM new_rows n JOIN invoice i ON i.id = n.invoice_id WHERE i.credited_invoice_id IS NOT NULL
        ) THEN RETURN NULL; END IF;
        PERFORM FROM invoice i
        WHERE i.id IN (SELECT n.credited_invoice_id FROM new_rows r JOIN invoice n ON n.id = r.invoice_id)
        ORDER BY i.id FOR NO KEY UPDATE;
        SELECT coalesce(t.name, 'none') INTO refused
        FROM (
          SELECT DISTINCT i.credited_invoice_id AS invoice_id, n.tax_rate_id
          FROM new_rows n JOIN invoice i ON i.id = n.invoice_id WHERE i.credited_invoice_id IS NOT NULL
        ) n
        LEFT JOIN invoice_tax t ON t.invoice_id = n.invoice_id AND t.tax_rate_id = n.tax_rate_id
        CROSS JOIN LATERAL (
          SELECT sum(k.net_amount) AS net, sum(k.tax_amount) AS tax, bool_or(k.percent <> t.percent) AS is_other
          FROM invoice i JOIN invoice_tax k ON k.invoice_id = i.id AND k.tax_rate_id = n.tax_rate_id
          WHERE i.credited_invoice_id = n.invoice_id
        ) k
        WHERE t.id IS NULL OR k.is_other OR CASE
          WHEN t.net_amount >= 0 THEN t.net_amount + k.net < 0 OR t.tax_amount + k.tax < 0
          ELSE t.net_amount + k.net > 0 OR t.tax_amount + k.tax > 0
        END LIMIT 1;
        IF refused IS NOT NULL THEN
          RAISE EXCEPTION 'More would be taken back than was invoiced, or by another percent (tax rate: %).', refused
            {EXISTS};
        END IF;
        RETURN NULL;
        """,
    )


def charge_taken_back_once() -> pgtrigger.Trigger:
    """A charge is taken back by a line of a credit note for its own line, and only where no reversal did so before."""
    return _statement(
        "taken_back_at_most_once",
        [("refused", "bigint")],
        f"""
        PERFORM FROM invoice i
        WHERE i.id IN (SELECT n.credited_invoice_id FROM (SELECT DISTINCT line_id FROM new_rows) r
          JOIN invoice_line l ON l.id = r.line_id JOIN invoice n ON n.id = l.invoice_id)
        ORDER BY i.id FOR NO KEY UPDATE;
        EXECUTE $check$
          SELECT n.charge_id FROM new_rows n
          JOIN invoice_line k ON k.id = n.line_id
          LEFT JOIN usage_charge c ON c.id = n.charge_id AND c.line_id = k.credited_line_id
          WHERE c.id IS NULL OR EXISTS (SELECT FROM transaction x WHERE x.reversed_charge_id = c.id) LIMIT 1
        $check$ INTO refused;
        IF refused IS NOT NULL THEN
          RAISE EXCEPTION 'Charge % is not of the line that is credited, or was taken back before.', refused {EXISTS};
        END IF;
        RETURN NULL;
        """,
    )


def charge_not_credited() -> pgtrigger.Trigger:
    """What a credit note has taken back is not reversed too."""
    return pgtrigger.Trigger(
        name="charge_not_credited",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        condition=pgtrigger.Q(new__reversed_charge__isnull=False),
        func=f"""
        PERFORM FROM invoice i
        WHERE i.id = (
          SELECT l.invoice_id FROM usage_charge c JOIN invoice_line l ON l.id = c.line_id
          WHERE c.id = NEW.reversed_charge_id
        ) FOR SHARE;
        IF EXISTS (SELECT FROM credited_charge k WHERE k.charge_id = NEW.reversed_charge_id) THEN
          RAISE EXCEPTION 'A credit note has taken the charge back already.' {EXISTS};
        END IF;
        RETURN NEW;
        """,
    )


def credited_price_stays() -> pgtrigger.Trigger:
    """The price of what a credit note has taken back is not corrected any more."""
    return _statement(
        "credited_price_stays",
        [("refused", "bigint")],
        f"""
        PERFORM FROM invoice i
        WHERE i.id IN (
          SELECT l.invoice_id FROM new_rows n JOIN usage_charge c ON c.id = n.charge_id
          JOIN invoice_line l ON l.id = c.line_id
        )
        ORDER BY i.id FOR SHARE;
        EXECUTE $check$
          SELECT n.charge_id FROM new_rows n
          JOIN credited_charge k ON k.charge_id = n.charge_id
          JOIN usage_charge c ON c.id = n.charge_id
          WHERE n.amount <> c.amount LIMIT 1
        $check$ INTO refused;
        IF refused IS NOT NULL THEN
          RAISE EXCEPTION 'A credit note has taken charge % back: its price is not corrected any more.', refused
            {EXISTS};
        END IF;
        RETURN NULL;
        """,
    )
