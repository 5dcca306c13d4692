from reports.admin import customers, figures, profiles, rendered

__all__ = ["customers", "figures", "profiles", "rendered"]
