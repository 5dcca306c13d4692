"""Preset values of invoice usage report profiles, as the API spells them (its specification names none)."""

from django.db import models


class Availability(models.TextChoices):
    HEADLINE = "Headline", "Headline"
    STANDARD = "Standard", "Standard"
    HISTORIC = "Historic", "Historic (offered nowhere new)"


class UsageReportPreset(models.TextChoices):
    """Reports of sites, campaigns and numbers."""

    SUMMARY = "Summary", "Summary"
    BY_PRODUCT = "By Product", "By product"
    BY_DESTINATION = "By Destination", "By destination"
    BY_DAY = "By Day", "By day"
    BY_HOUR = "By Hour", "By hour"
    TOP_DESTINATIONS = "Top Destinations", "Top destinations"
    LONGEST_USES = "Longest Uses", "Longest uses"
    MOST_EXPENSIVE_USES = "Most Expensive Uses", "Most expensive uses"


class CustomerUsageReportPreset(models.TextChoices):
    """Reports of the customer: those of its parts, and the breakdown into them."""

    SUMMARY = "Summary", "Summary"
    BY_PRODUCT = "By Product", "By product"
    BY_DESTINATION = "By Destination", "By destination"
    BY_DAY = "By Day", "By day"
    BY_HOUR = "By Hour", "By hour"
    TOP_DESTINATIONS = "Top Destinations", "Top destinations"
    LONGEST_USES = "Longest Uses", "Longest uses"
    MOST_EXPENSIVE_USES = "Most Expensive Uses", "Most expensive uses"
    BY_SITE = "By Site", "By site"
    BY_CAMPAIGN = "By Campaign", "By campaign"
    BY_NUMBER = "By Number", "By number"


class CallDetail(models.TextChoices):
    ALL = "All", "All"
    CHARGEABLE_ONLY = "Chargeable Only", "Chargeable only"
    ABOVE_THRESHOLD = "Above Threshold", "Above a threshold"
    BY_NUMBER = "By Number", "By number"
    BY_SITE = "By Site", "By site"


class TransactionColumn(models.TextChoices):
    DATE = "Date", "Date"
    DESCRIPTION = "Description", "Description"
    TYPE = "Type", "Type"
    SITE = "Site", "Site"
    CAMPAIGN = "Campaign", "Campaign"
    NUMBER = "Number", "Number"
    QUANTITY = "Quantity", "Quantity"
    UNIT_PRICE = "Unit Price", "Unit price"
    TAX_RATE = "Tax Rate", "Tax rate"
    AMOUNT = "Amount", "Amount"


class CallColumn(models.TextChoices):
    DATE = "Date", "Date"
    TIME = "Time", "Time"
    NUMBER = "Number", "Number"
    DESTINATION = "Destination", "Destination"
    DESTINATION_NAME = "Destination Name", "Destination name"
    TYPE = "Type", "Type"
    PRODUCT = "Product", "Product"
    DURATION = "Duration", "Duration"
    QUANTITY = "Quantity", "Quantity"
    BILLED_QUANTITY = "Billed Quantity", "Billed quantity"
    UNIT = "Unit", "Unit"
    RATE = "Rate", "Rate"
    CONNECTION_FEE = "Connection Fee", "Connection fee"
    AMOUNT = "Amount", "Amount"
    SITE = "Site", "Site"
    CAMPAIGN = "Campaign", "Campaign"
    RECORD_NUMBER = "Record Number", "Record number"


class ReportFormat(models.TextChoices):
    CSV = "csv", "CSV"
    XLSX = "xlsx", "Spreadsheet"
    PDF = "pdf", "PDF"
    JSON_LINES = "jsonl", "JSON lines"
    PARQUET = "parquet", "Parquet"


class SplitBy(models.TextChoices):
    """Whether a report is one file, or one for each of these."""

    NOTHING = "", "One file"
    SITE = "site", "One file for each site"
    NUMBER = "number", "One file for each number"


class ProductionState(models.TextChoices):
    WAITING = "WAITING", "Waiting"
    DONE = "DONE", "Made"
    FAILED = "FAILED", "Failed"
