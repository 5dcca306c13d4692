"""Triggers on credits and their uses: what was used stays, and no more is used than there is."""

import pgtrigger

from invoicing.models.triggers import part_of_document


def terms_stay_once_used() -> pgtrigger.Trigger:
    """A credit that is on a document, a draft too, keeps what it is worth, whose it is, and from when on it counts."""
    return pgtrigger.Trigger(
        name="terms_stay_once_used",
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        condition=pgtrigger.AnyChange("customer", "coupon", "code", "percent", "amount", "currency", "start_date"),
        func="""
        IF EXISTS (SELECT FROM credit_use u WHERE u.credit_id = OLD.id) THEN
          RAISE EXCEPTION 'The credit % was used: its terms stay. Give it an end date, and grant another.', OLD.code
            USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
        """,
    )


def uses_of_credits() -> list[pgtrigger.Trigger]:
    """Uses are parts of their document; each is of a credit of its customer, for what its line takes off.

    What is used of an amount never exceeds it, whatever runs at the same time: the credit's row is locked.
    """
    return [
        pgtrigger.Trigger(
            name="fits_its_line_and_credit",
            level=pgtrigger.Statement,
            when=pgtrigger.After,
            operation=pgtrigger.Insert,
            referencing=pgtrigger.Referencing(new="new_rows"),
            declare=[("unfit", "text")],
            func="""
            SELECT n.line_id INTO unfit FROM new_rows n
            LEFT JOIN invoice_line l ON l.id = n.line_id
            LEFT JOIN invoice i ON i.id = l.invoice_id
            LEFT JOIN account_credit c ON c.id = n.credit_id
            WHERE l.id IS NULL OR c.id IS NULL OR l.kind <> 'CREDIT' OR c.customer_id <> i.customer_id
              OR c.currency_id <> i.currency_id OR l.coupon_code <> c.code OR n.amount <> greatest(-l.amount, 0)
            LIMIT 1;
            IF unfit IS NOT NULL THEN
              RAISE EXCEPTION
                'The use of a credit does not fit line %: other customer, currency, code or amount, or no line.', unfit
                USING ERRCODE = 'foreign_key_violation';
            END IF;
            PERFORM FROM account_credit c WHERE c.id IN (SELECT credit_id FROM new_rows)
            ORDER BY c.id FOR NO KEY UPDATE;
            SELECT c.code INTO unfit FROM account_credit c
            WHERE c.id IN (SELECT credit_id FROM new_rows) AND tollbook_credit_left(c.id) < 0
            LIMIT 1;
            IF unfit IS NOT NULL THEN
              RAISE EXCEPTION 'No more of the credit % can be used than is left of it.', unfit
                USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN NULL;
            """,
        ),
        *part_of_document("SELECT l.invoice_id FROM invoice_line l WHERE l.id IN (SELECT line_id FROM changed_rows)"),
    ]
