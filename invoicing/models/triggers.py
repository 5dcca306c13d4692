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
        PERFORM FROM invoice i WHERE i.id IN ({invoices}) ORDER BY i.id FOR SHARE;
        SELECT i.number INTO refused FROM invoice i WHERE i.state = 'POSTED' AND i.id IN ({invoices}) LIMIT 1;
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
    ]
