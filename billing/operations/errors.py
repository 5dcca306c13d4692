"""What operations on billing runs refuse, in words for people."""


class RunConflict(Exception):
    """The run is in a state in which this cannot be done; the message names the state."""


class RunRefused(Exception):
    """What was asked for is understood, but cannot be: the message says why and what to do."""
