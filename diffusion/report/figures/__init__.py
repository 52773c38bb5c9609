"""Figures of the report, one file a section. A figure hands over panels, the data drawn and numbers; words are in templates."""
