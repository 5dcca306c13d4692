from catalog.admin import money, products, public_holidays, rate_cards, rate_decks, rates, time_bands

__all__ = ["money", "products", "public_holidays", "rate_cards", "rate_decks", "rates", "time_bands"]
