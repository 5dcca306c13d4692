"""Answers of the APIs that Django REST framework has no exception for."""

from http import HTTPStatus

from rest_framework.exceptions import APIException, ValidationError


class Conflict(APIException):
    """The object is in a state in which this cannot be done."""

    status_code = HTTPStatus.CONFLICT
    default_code = "conflict"


class Refused(APIException):
    """Understood, and refused."""

    status_code = HTTPStatus.UNPROCESSABLE_ENTITY
    default_code = "refused"


class MembersRefused(ValidationError):
    """Understood, and refused for what some members say: `detail` is the sentences of each."""

    status_code = HTTPStatus.UNPROCESSABLE_ENTITY
    default_code = "refused"


class TooLarge(APIException):
    """The body is longer than this address reads."""

    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is too large."
    default_code = "too_large"
