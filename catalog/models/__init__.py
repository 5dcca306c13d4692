from catalog.models.money import Currency, TaxRate
from catalog.models.products import Product
from catalog.models.rate_cards import RateCard, RateExample
from catalog.models.rate_decks import RateDeck, RateDeckLine
from catalog.models.rates import Rate, RateTier
from catalog.models.time_bands import PublicHoliday, TimeBand, TimeBandHours

__all__ = [
    "Currency",
    "Product",
    "PublicHoliday",
    "Rate",
    "RateCard",
    "RateDeck",
    "RateDeckLine",
    "RateExample",
    "RateTier",
    "TaxRate",
    "TimeBand",
    "TimeBandHours",
]
