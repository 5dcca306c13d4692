"""What mail servers send back (RFC 3464)."""

NOTIFICATION = """\
Return-Path: <>
From: MAILER-DAEMON@mx.example.com (Mail Delivery System)
To: billing@example.net
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com
X-Postfix-Queue-ID: 4F1C02

Final-Recipient: rfc822; bob@example.com
Original-Recipient: rfc822;bob@example.com
Action: {action}
Status: 5.1.1
Remote-MTA: dns; mx.example.org
Diagnostic-Code: smtp; 550 5.1.1 <bob@example.com>:
    Recipient address rejected: User unknown

--B
{original}
--B--
"""
WHOLE = """\
Content-Type: message/rfc822

Message-ID: {message_id}
From: billing@example.net
To: bob@example.com
Subject: Invoice INV-000001

Dear Bob
"""
HEADERS = """\
Content-Type: text/rfc822-headers

From: billing@example.net
Message-ID:
 {message_id}
Subject: Invoice INV-000001
"""


def notification(message_id: str, *, action: str = "failed", original: str = WHOLE) -> bytes:
    """A notification as a mail server pipes it, with the mail that it is about or only its headers."""
    return NOTIFICATION.format(action=action, original=original.format(message_id=message_id)).encode()
