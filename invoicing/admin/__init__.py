from invoicing.admin import charges, corrections, documents, recurring, transactions

__all__ = ["charges", "corrections", "documents", "recurring", "transactions"]
