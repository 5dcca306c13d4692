from catalog.admin import money, products, rates

__all__ = ["money", "products", "rates"]
