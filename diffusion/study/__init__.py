"""Studies: a declaration, a table of cells, a report."""
