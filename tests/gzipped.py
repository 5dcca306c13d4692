"""Compressed content for tests."""

import gzip


def gzipped(content: bytes) -> bytes:
    """The content, compressed: the same bytes in every test process, or they would name their cases differently."""
    return gzip.compress(content, mtime=0)  # noqa: TID251  this is what is used instead
