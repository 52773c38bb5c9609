"""What theory predicts: branching, percolation, exact sizes, message passing, thresholds, and R of SIPS."""

# All at once and not lazily: a module and the function it is named after would otherwise take each other's place.
from ..graph.spectral import next_generation_radius, non_backtracking_radius, reproduction_number
from .branching import (
    configuration_R,
    doubling_time,
    extinction_probability,
    giant_component,
    mean_total_size,
    rate_with_delays,
)
from .critical import CriticalValue, critical_value
from .message_passing import MessagePassing, message_passing
from .modularity import TwoCommunities, minimal_seed_fraction, mixing_window, two_communities
from .percolation import (
    DirectedPercolation,
    Percolation,
    degree_distribution,
    directed_percolation,
    g0,
    g1,
    molloy_reed,
    percolation,
    percolation_threshold,
    poisson_distribution,
)
from .reed_frost import FinalSize, cycle_spread, exact_final_size, path_spread, reed_frost, star_spread, tree_spread
from .sips import (
    community_arcs,
    feed_intensity,
    sips_block_matrix,
    sips_matrix,
    sips_mean_total,
    sips_reproduction_number,
)
from .sips_graph import sips_graph_radius
from .thresholds import Adoption, WattsWindow, cascade_condition, gleeson_cahalane, watts_window

__all__ = [
    "Adoption",
    "CriticalValue",
    "DirectedPercolation",
    "FinalSize",
    "MessagePassing",
    "Percolation",
    "TwoCommunities",
    "WattsWindow",
    "cascade_condition",
    "community_arcs",
    "configuration_R",
    "critical_value",
    "cycle_spread",
    "degree_distribution",
    "directed_percolation",
    "doubling_time",
    "exact_final_size",
    "extinction_probability",
    "feed_intensity",
    "g0",
    "g1",
    "giant_component",
    "gleeson_cahalane",
    "mean_total_size",
    "message_passing",
    "minimal_seed_fraction",
    "mixing_window",
    "molloy_reed",
    "next_generation_radius",
    "non_backtracking_radius",
    "path_spread",
    "percolation",
    "percolation_threshold",
    "poisson_distribution",
    "rate_with_delays",
    "reed_frost",
    "reproduction_number",
    "sips_block_matrix",
    "sips_graph_radius",
    "sips_matrix",
    "sips_mean_total",
    "sips_reproduction_number",
    "star_spread",
    "tree_spread",
    "two_communities",
    "watts_window",
]
