"""Takes what came back of invoice mails, as a mail server pipes it in."""

import os
import sys

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from invoicing.adapters.bounces import NotABounce
from invoicing.operations.delivery_decisions import UnknownDelivery, take_bounce

# Nothing of a notification that is of use stands behind so much.
LARGEST_BYTES = 20 * 1024**2


class Command(BaseCommand):
    """`take_bounce < MAIL`: notes on the invoice's delivery who did not get it, and what was said.

    Ends as mail servers understand it (sysexits.h): with 65 where the mail is no delivery status notification, with 67
    where it belongs to no delivery of here, with 75 where the database is away and the server is to try again.
    """

    help = "Read a delivery status notification (RFC 3464) from standard input, and note it on the invoice's delivery."

    def handle(self, *args: object, **options: object) -> None:  # noqa: ARG002  Django's signature
        """Read one mail."""
        try:
            taken = take_bounce(content=sys.stdin.buffer.read(LARGEST_BYTES))
        except NotABounce as error:
            raise CommandError(f"Nothing was noted. {error}", returncode=os.EX_DATAERR) from error
        except UnknownDelivery as error:
            raise CommandError(f"Nothing was noted. {error}", returncode=os.EX_NOUSER) from error
        except OperationalError as error:
            raise CommandError(f"The database is away: {error}", returncode=os.EX_TEMPFAIL) from error
        what = f"delivery {taken.delivery.pk} of {taken.delivery.invoice} to {taken.delivery.recipient}"
        if taken.is_noted:
            self.stdout.write(f"{what} came back: {taken.delivery.error}")
        elif taken.bounce.failed:
            self.stdout.write(f"{what} came back before: nothing was changed.")
        else:
            self.stdout.write(f"{what} is only delayed: nothing was changed.")
