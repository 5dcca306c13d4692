from usage.admin import imports, quarantine, records, sources

__all__ = ["imports", "quarantine", "records", "sources"]
