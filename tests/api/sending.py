"""Sends usage data records as JSON, in tests."""

from typing import Any

from tests.api.caller import Caller

PATH = "/usage/v1/usage_data_records"
CALL: dict[str, Any] = {
    "number": "R1",
    "source_system": "Exchange",
    "subscription_service": "+49301",
    "product": "CALL",
    "from_date": "2026-01-15T12:00:00Z",
    "to_date": "2026-01-15T12:01:00Z",
    "usage_amount": 60,
}


def sent(caller: Caller, **changed: Any) -> Any:
    """What is answered to CALL with these members changed; those that are `...` are left out."""
    body = {name: value for name, value in (CALL | changed).items() if value is not ...}
    return caller.send("POST", PATH, body)
