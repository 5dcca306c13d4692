from usage.admin import conflicts, imports, quarantine, records, sources

__all__ = ["conflicts", "imports", "quarantine", "records", "sources"]
