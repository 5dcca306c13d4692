"""Columns of usage reports: what each is called, where it comes from, and what kind of value is in it."""

from dataclasses import dataclass

TEXT, DATE, TIME, COUNT, NUMBER, MONEY, SECONDS = "text", "date", "time", "count", "number", "money", "seconds"
FIGURES = (COUNT, NUMBER, MONEY, SECONDS)


@dataclass(frozen=True, slots=True)
class Column:
    """`key` names it in SQL, JSON lines and Parquet, `label` in English; `kind` is one of the above.

    NUMBER has all its digits, MONEY the minor units of the currency, SECONDS is a duration. `in_currency` says that the
    header names the currency.
    """

    key: str
    label: str
    kind: str = TEXT
    in_currency: bool = False

    @property
    def is_figure(self) -> bool:
        """Whether its values stand below one another at the right, as figures do that are added up."""
        return self.kind in FIGURES


AMOUNT = Column("amount", "Amount", NUMBER, in_currency=True)
# For how many units the rate is; it goes with it.
RATE_UNIT = Column("rate_unit", "Rate for")

# Of one use each, as the profile's call columns are named.
CALL_COLUMNS = {
    "Date": Column("date", "Date", DATE),
    "Time": Column("time", "Time", TIME),
    "Number": Column("number", "Number"),
    "Destination": Column("destination", "Destination"),
    "Destination Name": Column("destination_name", "Destination name"),
    "Type": Column("type", "Type"),
    "Product": Column("product", "Product"),
    "Duration": Column("duration", "Duration", SECONDS),
    "Quantity": Column("quantity", "Quantity", NUMBER),
    "Billed Quantity": Column("billed_quantity", "Billed quantity", NUMBER),
    "Unit": Column("unit", "Unit"),
    "Rate": Column("rate", "Rate", NUMBER),
    "Connection Fee": Column("connection_fee", "Connection fee", NUMBER),
    "Amount": AMOUNT,
    "Site": Column("site", "Site"),
    "Campaign": Column("campaign", "Campaign"),
    "Record Number": Column("record_number", "Record number"),
}
# Of one line of the invoice each that is not usage.
TRANSACTION_COLUMNS = {
    "Date": Column("date", "Date", DATE),
    "Description": Column("description", "Description"),
    "Type": Column("type", "Type"),
    "Site": Column("site", "Site"),
    "Campaign": Column("campaign", "Campaign"),
    "Number": Column("number", "Number"),
    "Quantity": Column("quantity", "Quantity", NUMBER),
    "Unit Price": Column("unit_price", "Unit price", NUMBER),
    "Tax Rate": Column("tax_rate", "Tax rate"),
    "Amount": Column("amount", "Amount", MONEY, in_currency=True),
}
# What a group of uses comes to: its exact charges, and its part of the amounts of the invoice's lines.
MEASURES = (
    Column("uses", "Uses", COUNT),
    Column("duration", "Duration", SECONDS),
    Column("quantity", "Quantity", NUMBER),
    Column("billed_quantity", "Billed quantity", NUMBER),
    Column("unit", "Unit"),
    Column("charges", "Charges", NUMBER, in_currency=True),
    Column("amount", "Amount", MONEY, in_currency=True),
)
# By what uses are grouped.
GROUPS = {
    "Summary": (CALL_COLUMNS["Type"],),
    "By Product": (Column("product_code", "Product code"), CALL_COLUMNS["Product"]),
    "By Destination": (CALL_COLUMNS["Destination Name"],),
    "By Day": (CALL_COLUMNS["Date"],),
    "By Hour": (Column("hour", "Hour", COUNT),),
    "Top Destinations": (CALL_COLUMNS["Destination Name"],),
    "By Site": (CALL_COLUMNS["Site"],),
    "By Campaign": (CALL_COLUMNS["Campaign"],),
    "By Number": (CALL_COLUMNS["Number"],),
}
# Columns of the few uses that are singled out.
SINGLED_OUT = tuple(
    CALL_COLUMNS[name]
    for name in (
        *("Date", "Time", "Number", "Destination", "Destination Name", "Type", "Duration", "Quantity", "Unit"),
        "Amount",
    )
)
