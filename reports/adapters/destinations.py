"""Names of telephone numbers' destinations, from the numbering plans that `phonenumbers` knows."""


def destination_name(number: str, language: str) -> str:
    """Where a number is, such as “Berlin”, else its country; "" where the plans do not say. `number` begins with +.

    One that is too short for its country has no name: it may be a number of the caller's own town.
    """
    # The names of all places take 100 MB: only a process that names destinations has them.
    import phonenumbers
    from phonenumbers import geocoder

    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return ""
    if phonenumbers.is_possible_number_with_reason(parsed) == phonenumbers.ValidationResult.TOO_SHORT:
        return ""
    spoken = language.replace("_", "-").split("-")[0].lower() or "en"
    place = geocoder.description_for_number(parsed, spoken)
    return place or geocoder.country_name_for_number(parsed, spoken)
