from reports.admin import figures, profiles, rendered

__all__ = ["figures", "profiles", "rendered"]
