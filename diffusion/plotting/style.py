"""One look for every figure: palette, style, bands, direct labels, and SVG that is the same each time.

Nothing here imports matplotlib until it is called, so that ``import diffusion`` stays cheap.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

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
    "spread_apart",
    "strategy_colours",
    "strategy_markers",
    "style",
    "text_colour",
]

INK = "#1a1a1a"
GREY = "#6f6f6f"
_HAIR = "#d9d9d9"

#: Okabe and Ito (2008) without their yellow, which is lost on white, then the darker half of Tol's muted set.
PALETTE = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#000000",
    "#882255",
    "#999933",
    "#332288",
    "#AA4499",
    "#117733",
)
#: Colour is never alone: strategies also differ in marker.
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h", "d")

_FAMILY = "font-family:inherit"


@contextmanager
def style() -> Iterator[None]:
    """Draw everything inside the block in the style of the package.

    See Also
    --------
    plotting.panel, plotting.figure_to_svg

    Examples
    --------
    >>> import matplotlib
    >>> from diffusion import plotting
    >>> with plotting.style():
    ...     matplotlib.rcParams["axes.spines.top"]
    False
    """
    import matplotlib

    settings: Any = {
        "axes.axisbelow": True,
        "axes.edgecolor": GREY,
        "axes.grid": True,
        "axes.labelcolor": INK,
        "axes.labelsize": 11,
        "axes.linewidth": 0.8,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.titlelocation": "left",
        "axes.titlesize": 11.5,
        "axes.titleweight": "bold",
        "axes.unicode_minus": True,
        "figure.facecolor": "white",
        # The font that ships with matplotlib, so that the layout never depends on the machine.
        "font.family": ["DejaVu Sans"],
        "font.size": 11,
        "grid.color": _HAIR,
        "grid.linewidth": 0.6,
        "legend.frameon": False,
        "lines.linewidth": 1.7,
        "lines.markersize": 5,
        "svg.fonttype": "none",
        "svg.hashsalt": "diffusion",
        "text.color": INK,
        "xtick.color": GREY,
        "xtick.labelcolor": INK,
        "xtick.labelsize": 11,
        "ytick.color": GREY,
        "ytick.labelcolor": INK,
        "ytick.labelsize": 11,
    }
    with matplotlib.rc_context(settings):
        yield
        interactive = matplotlib.is_interactive()
    # A backend that is loaded inside the block makes pyplot interactive, as notebooks need it: that stays.
    matplotlib.interactive(interactive)


def strategy_colours(strategies: Iterable[str]) -> dict[str, str]:
    """Give each strategy one colour, in the order named; ``random``, the baseline, is always grey.

    See Also
    --------
    plotting.strategy_markers, plotting.plot_strategies

    Examples
    --------
    >>> strategy_colours(["random", "degree"])
    {'random': '#6f6f6f', 'degree': '#0072B2'}
    """
    return _assign(strategies, PALETTE, GREY)


def strategy_markers(strategies: Iterable[str]) -> dict[str, str]:
    """Give each strategy one marker, in the order named, so that figures survive without colour.

    See Also
    --------
    plotting.strategy_colours, plotting.plot_strategies
    """
    return _assign(strategies, MARKERS, "o")


def _assign(strategies: Iterable[str], values: Sequence[str], of_random: str) -> dict[str, str]:
    given: dict[str, str] = {}
    used = 0
    for name in strategies:
        if name in given:
            continue
        if name == "random":
            given[name] = of_random
        else:
            given[name] = values[used % len(values)]
            used += 1
    return given


def text_colour(colour: str, *, contrast: float = 4.5) -> str:
    """Darken `colour` until text in it can be read on white (contrast of WCAG 2, level AA).

    Parameters
    ----------
    colour : str
        ``#rrggbb``.
    contrast : float, optional
        Contrast ratio to white that is asked for, in [1, 21].

    Returns
    -------
    str
        ``#rrggbb``, the colour itself where it is dark enough.

    Raises
    ------
    InputError
        If `colour` is not written as ``#rrggbb`` or `contrast` is out of range.

    See Also
    --------
    plotting.panel, plotting.style

    Examples
    --------
    >>> text_colour("#0072B2")
    '#0072b2'
    """
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        raise InputError(f"colour {colour!r} is not of the form '#rrggbb'")
    if not 1 <= contrast <= 21:
        raise InputError(f"contrast {contrast!r} is outside [1, 21]")
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    for _ in range(200):
        if 1.05 / (luminance(red, green, blue) + 0.05) >= contrast:
            break
        red, green, blue = red * 0.97, green * 0.97, blue * 0.97
    return "#" + "".join(f"{round(channel * 255):02x}" for channel in (red, green, blue))


def luminance(*channels: float) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def compact(value: float, _position: object = None) -> str:
    """Write a number for an axis: thousands separators, no exponent, no needless zeros.

    See Also
    --------
    plotting.log_axis, plotting.end_labels

    Examples
    --------
    >>> compact(12000.0), compact(0.25), compact(-3.0)
    ('12,000', '0.25', '−3')
    """
    if not math.isfinite(value):
        return ""
    text = f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:,.4g}"
    if "e" in text:
        text = f"{value:.10f}".rstrip("0").rstrip(".")
    return text.replace("-", "\N{MINUS SIGN}")


def spelled(value: float, low: float = math.nan, high: float = math.nan) -> str:
    """Write a number for a title to three digits, with its interval where both ends are known and differ.

    See Also
    --------
    plotting.compact

    Examples
    --------
    >>> spelled(1234.5, 1200.0, 1301.0), spelled(0.25), spelled(2.0, 2.0, 2.0), spelled(float("nan"))
    ('1,234 [1,200, 1,301]', '0.25', '2', 'not known')
    """
    if math.isnan(value):
        return "not known"
    ends = [_three_digits(end) for end in (low, high)]
    return _three_digits(value) + (f" [{ends[0]}, {ends[1]}]" if low < high else "")


def _three_digits(value: float) -> str:
    if math.isinf(value):
        return "\N{INFINITY}" if value > 0 else "\N{MINUS SIGN}\N{INFINITY}"
    return compact(round(value) if abs(value) >= 100 else float(f"{value:.3g}")) if value == value else ""


def panel(
    width: float = 400, height: float = 260, *, left: float = 50, right: float = 14, top: float = 26, bottom: float = 42
) -> tuple[Figure, Axes]:
    """Make one figure with one pair of axes; all lengths in pixels, so that text keeps its size in the page.

    Returns
    -------
    figure : matplotlib.figure.Figure
    axes : matplotlib.axes.Axes
        With plain numbers on both axes (`compact`).

    See Also
    --------
    plotting.style, plotting.log_axis
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    figure = Figure(figsize=(width / 72, height / 72), dpi=72)
    axes = figure.add_axes(
        (left / width, bottom / height, (width - left - right) / width, (height - top - bottom) / height)
    )
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 1.5, 2, 2.5, 4, 5, 10]))
        axis.set_major_formatter(FuncFormatter(compact))
    axes.tick_params(length=3, width=0.8)
    return figure, axes


def log_axis(axes: Axes, which: str) -> None:
    """Make axis ``"x"`` or ``"y"`` logarithmic with numbers in full (10,000 rather than a power).

    See Also
    --------
    plotting.compact, plotting.panel
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    if which not in ("x", "y"):
        raise InputError(f"axis {which!r} is unknown: give 'x' or 'y'")
    axis = axes.xaxis if which == "x" else axes.yaxis
    (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    low, high = sorted(axes.get_xlim() if which == "x" else axes.get_ylim())
    decades = math.log10(high / low)
    # Under two decades the powers of ten alone would leave an axis with one number or none.
    subs = (1.0,) if decades > 2 else (1.0, 3.0) if decades > 1.2 else (1.0, 2.0, 5.0)
    axis.set_major_locator(LogLocator(base=10, subs=subs, numticks=7))
    axis.set_major_formatter(FuncFormatter(compact))
    axis.set_minor_formatter(NullFormatter())


def band(
    axes: Axes,
    x: Sequence[float],
    low: Sequence[float],
    middle: Sequence[float],
    high: Sequence[float],
    *,
    colour: str,
    marker: str | None = None,
    alpha: float = 0.18,
) -> None:
    """Draw a line with the band around it; a NaN leaves a gap.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    x, low, middle, high : sequences of float, all of one length
    colour : str
    marker : str, optional
        Marker at each point.
    alpha : float, optional
        Opacity of the band.

    See Also
    --------
    plotting.intervals, plotting.panel
    """
    if not len(x) == len(low) == len(middle) == len(high):
        raise InputError(
            f"x, low, middle and high have lengths {len(x)}, {len(low)}, {len(middle)} and {len(high)}: make them equal"
        )
    axes.fill_between(x, low, high, color=colour, alpha=alpha, linewidth=0)
    axes.plot(x, middle, color=colour, marker=marker, markeredgewidth=0)


def intervals(
    axes: Axes,
    low: Sequence[float],
    middle: Sequence[float],
    high: Sequence[float],
    rows: Sequence[float],
    *,
    colours: Sequence[str],
    marker: str = "o",
    filled: bool = True,
) -> None:
    """Draw horizontal intervals with a marker at `middle`, one a row (a dot plot); a NaN draws nothing.

    See Also
    --------
    plotting.band, plotting.panel
    """
    for start, centre, end, row, colour in zip(low, middle, high, rows, colours, strict=True):
        if not math.isfinite(centre):
            continue
        if math.isfinite(start) and math.isfinite(end):
            axes.plot([start, end], [row, row], color=colour, linewidth=2.2, alpha=0.55, solid_capstyle="butt")
        face = colour if filled else "white"
        axes.plot(
            [centre], [row], marker=marker, markersize=5.5, color=colour, markerfacecolor=face, markeredgewidth=1.2
        )


def end_labels(axes: Axes, labels: Sequence[tuple[float, str, str]], *, x: float, gap: float = 12.5) -> None:
    """Write a label to the right of the axes for each line end, moved apart where they would overlap.

    Call it last: it reads the limits of the axes.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    labels : sequence of (y, text, colour)
        `y` is the end of the line, in data units.
    x : float
        Where the lines end, in data units.
    gap : float, optional
        Smallest distance between two labels, in pixels.

    See Also
    --------
    plotting.panel, plotting.band
    """
    if not labels:
        return
    box = axes.get_window_extent()
    order = sorted(range(len(labels)), key=lambda i: labels[i][0])
    ends = [float(axes.transData.transform((x, labels[i][0]))[1]) for i in order]
    start = float(axes.transData.transform((x, labels[0][0]))[0])
    for position, i, end in zip(spread_apart(ends, gap, box.y0, box.y1), order, ends, strict=True):
        _, text, colour = labels[i]
        axes.annotate(
            text,
            xy=(start, end),
            xycoords="figure pixels",
            xytext=(box.x1 + 12, position),
            textcoords="figure pixels",
            color=text_colour(colour),
            fontsize=10.5,
            va="center_baseline",
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": colour,
                "linewidth": 0.6,
                "alpha": 0.7,
                "shrinkA": 1,
                "shrinkB": 3,
                "relpos": (0, 0.5),
            },
        )


def spread_apart(positions: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move sorted positions as little as possible (least squares) so that neighbours are `gap` apart."""
    blocks: list[list[float]] = []  # [mean, count] of pooled neighbours: isotonic regression
    for i, position in enumerate(positions):
        blocks.append([position - i * gap, 1.0])
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            mean, count = blocks.pop()
            total = blocks[-1][1] + count
            blocks[-1] = [(blocks[-1][0] * blocks[-1][1] + mean * count) / total, total]
    flat = [mean for mean, count in blocks for _ in range(int(count))]
    moved = [value + i * gap for i, value in enumerate(flat)]
    if moved[-1] > high:
        # Push down from the top, only as far as each label must go.
        ceiling = high
        for i in range(len(moved) - 1, -1, -1):
            moved[i] = min(moved[i], ceiling)
            ceiling = moved[i] - gap
    floor = low
    for i, value in enumerate(moved):
        moved[i] = max(value, floor)
        floor = moved[i] + gap
    return moved


def figure_to_svg(figure: Figure, *, title: str, name: str) -> str:
    """Return `figure` as an ``<svg>`` element to be put inside a page.

    The text stays text and takes the font of the page; the same figure gives the same bytes each time.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    title : str
        What a screen reader says.
    name : str
        Put before every id, so that several figures live in one page.

    Returns
    -------
    str
        An element without width and height: it fills the width it is given.

    See Also
    --------
    plotting.style, plotting.panel
    """
    from html import escape

    from matplotlib.backends.backend_svg import FigureCanvasSVG

    FigureCanvasSVG(figure)
    buffer = io.StringIO()
    with style():
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"\s*<metadata>.*?</metadata>", "", text, flags=re.S)
    text = re.sub(r"\s*<defs>\s*<style.*?</style>\s*</defs>", "", text, flags=re.S)
    text = re.sub(r"font-family: [^;\"]*", _FAMILY, text)
    text = re.sub(r"transform=\"rotate\(-0 [^)]*\)\"", "", text)
    text = re.sub(r'\bid="([^"]+)"', lambda m: f'id="{name}-{m[1]}"', text)
    text = re.sub(r"url\(#([^)]+)\)", lambda m: f"url(#{name}-{m[1]})", text)
    text = re.sub(r'xlink:href="#([^"]+)"', lambda m: f'href="#{name}-{m[1]}"', text)
    view = re.search(r'viewBox="([^"]+)"', text)
    if view is None:  # every matplotlib writes one
        raise InputError("the figure gave an SVG without a viewBox: check the installation of matplotlib")
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{view[1]}" role="img" aria-label="{escape(title)}" '
        'stroke-linejoin="round" stroke-linecap="butt">'
    )
    body = text[text.index(">") + 1 :]
    body = re.sub(r'<g id="[^"]*">', "<g>", body)
    return head + re.sub(r"\n\s*", " ", body).strip()
