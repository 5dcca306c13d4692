from customers.admin import api_keys, customers, rate_examples, staff, subscriptions

__all__ = ["api_keys", "customers", "rate_examples", "staff", "subscriptions"]
