"""What operations on billing runs refuse, in words for people."""

from billing.queries.preflight_checks import PreflightCheck


class RunConflict(Exception):
    """The run is in a state in which this cannot be done; the message names the state."""


class RunRefused(Exception):
    """What was asked for is understood, but cannot be: the message says why and what to do."""


class PreflightRefused(RunRefused):
    """A check beforehand blocks the run, or warns and was not confirmed; `checks` are all of them."""

    def __init__(self, message: str, *, checks: tuple[PreflightCheck, ...]) -> None:
        super().__init__(message)
        self.checks = checks


class CustomersWait(RunRefused):
    """Customers of the run still wait in another one, `in_run_id` where it is known: later it can be."""

    def __init__(self, message: str, *, in_run_id: int | None = None) -> None:
        super().__init__(message)
        self.in_run_id = in_run_id
