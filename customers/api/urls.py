"""Addresses of the backend API that are of price lists. Each with or without a trailing slash."""

from django.urls import re_path

from customers.api import (
    public_holidays,
    rate_card_checks,
    rate_cards,
    rate_deck_actions,
    rate_decks,
    rates,
    time_bands,
)

urlpatterns = [
    re_path(r"^rateCards/?$", rate_cards.RateCardList.as_view()),
    re_path(r"^rateCards/(?P<card_id>[^/]+)/?$", rate_cards.RateCardDetail.as_view()),
    re_path(r"^rateCards/(?P<card_id>[^/]+)/lint/?$", rate_card_checks.RateCardLint.as_view()),
    re_path(r"^rateCards/(?P<card_id>[^/]+)/examples/?$", rate_card_checks.RateCardExamples.as_view()),
    re_path(r"^rateCards/(?P<card_id>[^/]+)/import/?$", rate_decks.ImportRates.as_view()),
    re_path(r"^rateCards/(?P<card_id>[^/]+)/increase/?$", rate_decks.IncreaseRates.as_view()),
    re_path(r"^rateCards/(?P<card_id>[^/]+)/export/?$", rate_decks.ExportRates.as_view()),
    re_path(r"^rateDecks/?$", rate_deck_actions.RateDeckList.as_view()),
    re_path(r"^rateDecks/(?P<deck_id>[^/]+)/?$", rate_deck_actions.RateDeckDetail.as_view()),
    re_path(r"^rateDecks/(?P<deck_id>[^/]+)/lines/?$", rate_deck_actions.RateDeckLines.as_view()),
    re_path(r"^rateDecks/(?P<deck_id>[^/]+)/compare/?$", rate_deck_actions.CompareRateDeck.as_view()),
    re_path(r"^rateDecks/(?P<deck_id>[^/]+)/activate/?$", rate_deck_actions.ActivateRateDeck.as_view()),
    re_path(r"^rateDecks/(?P<deck_id>[^/]+)/discard/?$", rate_deck_actions.DiscardRateDeck.as_view()),
    re_path(r"^rates/?$", rates.RateList.as_view()),
    re_path(r"^rates/(?P<rate_id>[^/]+)/?$", rates.RateDetail.as_view()),
    re_path(r"^timeBands/?$", time_bands.TimeBandList.as_view()),
    re_path(r"^timeBands/(?P<band_id>[^/]+)/?$", time_bands.TimeBandDetail.as_view()),
    re_path(r"^publicHolidays/?$", public_holidays.PublicHolidayList.as_view()),
    re_path(r"^publicHolidays/addCountry/?$", public_holidays.PublicHolidayCalendar.as_view()),
    re_path(r"^publicHolidays/(?P<holiday_id>[^/]+)/?$", public_holidays.PublicHolidayDetail.as_view()),
]
