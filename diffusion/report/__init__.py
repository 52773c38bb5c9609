"""The report of a finished study: typed effects, figures, and one page whose words all live in `templates`."""

from .page import write_report

__all__ = ["write_report"]
