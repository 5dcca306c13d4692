from catalog.models.money import Currency, TaxRate
from catalog.models.products import Product
from catalog.models.rates import Rate, RateCard, RateTier, TimeBand

__all__ = ["Currency", "Product", "Rate", "RateCard", "RateTier", "TaxRate", "TimeBand"]
