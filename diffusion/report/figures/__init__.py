"""Figures of the report, one file a section: panels, the data drawn and numbers; words are in templates."""
