"""What can go wrong with rate decks, in words for people."""

from catalog.operations.refusals import CatalogConflict, CatalogRefused


class DeckRefused(CatalogRefused):
    """A file, or what is asked of it, is no rate deck: what is wrong and where."""


class DeckConflict(CatalogConflict):
    """The deck is in a state in which this cannot be done; the message says which, and what can be."""


class DeckStale(DeckConflict):
    """The card is no longer what the deck was compared with: `differing` lines come out otherwise now."""

    def __init__(self, message: str, differing: int) -> None:
        super().__init__(message)
        self.differing = differing


class DeckObjected(DeckConflict):
    """Examples would cost something else, or prices be at fault: `objections` says what, a sentence each."""

    def __init__(self, name: str, objections: list[str]) -> None:
        super().__init__(f"The deck {name} is not activated. {' '.join(objections)}")
        self.objections = objections
