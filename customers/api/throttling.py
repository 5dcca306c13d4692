"""How many requests a minute one key, user or address may send."""

import logging
import time
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from customers.models import ApiKey

if TYPE_CHECKING:  # views import their throttle classes
    from rest_framework.views import APIView

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 60


class RequestsPerMinute(BaseThrottle):
    """`API_REQUESTS_PER_MINUTE` in each minute of the clock, one counter in the cache for each who asks.

    A cache that is away lets everybody through: it guards the server, no bill depends on it.
    """

    def allow_request(self, request: Request, view: "APIView") -> bool:  # noqa: ARG002  the framework passes it
        name = f"requests:{self._who(request)}:{int(time.time()) // WINDOW_SECONDS}"
        try:
            cache.add(name, 0, timeout=2 * WINDOW_SECONDS)
            count = cache.incr(name)
        except Exception:  # whatever the cache's client raises, a request is not lost for it
            logger.warning("The cache does not answer: requests are not counted.", exc_info=True)
            return True
        return count <= settings.API_REQUESTS_PER_MINUTE

    def wait(self) -> int:
        """Seconds until the next window."""
        return WINDOW_SECONDS - int(time.time()) % WINDOW_SECONDS

    def _who(self, request: Request) -> str:
        if isinstance(request.auth, ApiKey):
            return f"key-{request.auth.id}"
        if request.user.is_authenticated:
            return f"user-{request.user.pk}"
        return f"address-{self.get_ident(request)}"
