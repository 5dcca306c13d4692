from invoicing.admin import charges, corrections, documents, transactions

__all__ = ["charges", "corrections", "documents", "transactions"]
