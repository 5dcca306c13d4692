from invoicing.admin import charges, documents, transactions

__all__ = ["charges", "documents", "transactions"]
