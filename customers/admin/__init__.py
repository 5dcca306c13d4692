from customers.admin import api_keys, customers, staff, subscriptions

__all__ = ["api_keys", "customers", "staff", "subscriptions"]
