from reports.admin import profiles, rendered

__all__ = ["profiles", "rendered"]
