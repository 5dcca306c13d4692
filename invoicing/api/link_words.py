"""What is said to whoever follows a link in a mail and cannot have the document, in its language if that is known."""

from dataclasses import dataclass

WRONG, EXPIRED, NOT_YET, AWAY = "wrong", "expired", "notYet", "away"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why, and what to do, in one language."""

    language: str
    title: str
    advice: str


WORDS = {
    WRONG: (
        Refusal(
            "en",
            "This link leads nowhere",
            "Perhaps a part of it was lost: please copy the whole link from the mail, from https to its last sign.",
        ),
        Refusal(
            "de",
            "Dieser Link führt ins Leere",
            "Vielleicht fehlt ein Teil davon: Bitte kopieren Sie den ganzen Link aus der E-Mail, von https bis zum "
            "letzten Zeichen.",
        ),
    ),
    EXPIRED: (
        Refusal("en", "This link has expired", "Please ask whoever sent it to you for a new one."),
        Refusal("de", "Dieser Link ist abgelaufen", "Bitte lassen Sie sich vom Absender einen neuen schicken."),
    ),
    NOT_YET: (
        Refusal("en", "The document is being made", "Please try again in some minutes."),
        Refusal("de", "Das Dokument wird gerade erstellt", "Bitte versuchen Sie es in einigen Minuten noch einmal."),
    ),
    AWAY: (
        Refusal("en", "The document cannot be fetched now", "Please try again in some minutes."),
        Refusal(
            "de",
            "Das Dokument ist gerade nicht abrufbar",
            "Bitte versuchen Sie es in einigen Minuten noch einmal.",
        ),
    ),
}


def refusals(why: str, language: str | None) -> list[Refusal]:
    """In this language, if there are words in it, else in all languages that there are, English first."""
    code = (language or "").lower()[:2]
    return [refusal for refusal in WORDS[why] if refusal.language == code] or list(WORDS[why])
