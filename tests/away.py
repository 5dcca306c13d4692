"""The storage of files, gone away in the middle of a test."""

from pathlib import Path
from typing import Any

import pytest

from config import env


def take_disk_away(settings: Any) -> None:
    """Files are to be in a folder that is none."""
    settings.MEDIA_ROOT = Path(env.BASE_DIR, "manage.py")


def take_bucket_away(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are to be in a bucket of a server that does not answer: nothing listens on port 1."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_MAX_ATTEMPTS": "1",
        "S3_BUCKET": "invoices",
        "S3_REGION": "us-east-1",
        "S3_ENDPOINT_URL": "http://127.0.0.1:1",
    }.items():
        monkeypatch.setenv(name, value)
    settings.STORAGES = {**settings.STORAGES, "default": env.storage()}
