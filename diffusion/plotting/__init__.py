"""Figures: one look, one file for each family of results; nothing loads matplotlib before it draws."""

from .adaptive import plot_adaptive
from .competitive import plot_response, plot_shares
from .epidemic import plot_compartments
from .funnels import plot_eta, plot_funnel_rates, plot_rates
from .growth import plot_growth, plot_ignition, plot_reproduction
from .inference import (
    plot_calibration,
    plot_credits,
    plot_exposure_response,
    plot_learned,
    plot_log,
    plot_predictive_check,
)
from .maps import plot_cascade_tree, plot_community_map, plot_partition, plot_virality
from .money import plot_budget_curve, plot_min_budget, plot_price_sensitivity, plot_substitutes
from .player import player_page, player_widget
from .seeding import (
    plot_comparison,
    plot_fairness_price,
    plot_maximin,
    plot_prices,
    plot_rr_sets,
    plot_selection,
    plot_strategies,
)
from .sips import plot_cost_by_tier, plot_funnel, plot_reach_against_mixing, plot_reach_curve
from .style import (
    GREY,
    INK,
    MARKERS,
    PALETTE,
    band,
    compact,
    end_labels,
    figure_to_svg,
    intervals,
    log_axis,
    panel,
    spelled,
    strategy_colours,
    strategy_markers,
    style,
    text_colour,
)
from .theory import plot_adoption, plot_final_size, plot_message_passing, plot_two_communities

__all__ = [
    "GREY",
    "INK",
    "MARKERS",
    "PALETTE",
    "band",
    "compact",
    "end_labels",
    "figure_to_svg",
    "intervals",
    "log_axis",
    "panel",
    "player_page",
    "player_widget",
    "plot_adaptive",
    "plot_adoption",
    "plot_budget_curve",
    "plot_calibration",
    "plot_cascade_tree",
    "plot_community_map",
    "plot_comparison",
    "plot_compartments",
    "plot_cost_by_tier",
    "plot_credits",
    "plot_eta",
    "plot_exposure_response",
    "plot_fairness_price",
    "plot_final_size",
    "plot_funnel",
    "plot_funnel_rates",
    "plot_growth",
    "plot_ignition",
    "plot_learned",
    "plot_log",
    "plot_maximin",
    "plot_message_passing",
    "plot_min_budget",
    "plot_partition",
    "plot_predictive_check",
    "plot_price_sensitivity",
    "plot_prices",
    "plot_rates",
    "plot_reach_against_mixing",
    "plot_reach_curve",
    "plot_reproduction",
    "plot_response",
    "plot_rr_sets",
    "plot_selection",
    "plot_shares",
    "plot_strategies",
    "plot_substitutes",
    "plot_two_communities",
    "plot_virality",
    "spelled",
    "strategy_colours",
    "strategy_markers",
    "style",
    "text_colour",
]
