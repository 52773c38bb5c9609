"""What theory predicts: branching processes on the graph."""
