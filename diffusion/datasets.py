"""Data sets: the generated default, and public graphs fetched on request and checked against a sha256."""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ._html import facts
from .errors import InputError, MissingDataError, NotFoundError, did_you_mean
from .graph.follower_graph import FollowerGraph

__all__ = ["Card", "cards", "load"]

SNAP = "https://snap.stanford.edu/data/"


@dataclass(frozen=True)
class Card:
    """What a data set is and where it comes from.

    Attributes
    ----------
    name, title, source, licence : str
    file : str or None
        Name of the original file; None for generated sets.
    sha256 : str or None
        Checksum of the original file, where it is known.
    text_sha256 : str or None
        Checksum of its decompressed text with CRLF line ends, where that is what is known.
    reading : dict
        How `read_edges` is called on it.
    n_nodes, n_edges : int
        As published (rows for undirected sets).

    See Also
    --------
    datasets.cards, datasets.load

    Examples
    --------
    >>> card = cards()["wiki-vote"]
    >>> card.n_nodes, card.reading["edges_mean"]
    (7115, 'follows')
    """

    name: str
    title: str
    source: str
    licence: str
    n_nodes: int
    n_edges: int
    file: str | None
    sha256: str | None
    reading: dict[str, Any]
    text_sha256: str | None = None

    @property
    def url(self) -> str | None:
        """Address of the original file."""
        return (
            None
            if self.file is None
            else SNAP + ("bigdata/communities/" if self.file.startswith("com-") else "") + self.file
        )

    def __repr__(self) -> str:
        size = f"{self.n_nodes:,} nodes, {self.n_edges:,} edges"
        return f"Card {self.name!r}: {self.title}; {size}; {self.source}; licence: {self.licence}"

    def _repr_html_(self) -> str:
        size = {"nodes": f"{self.n_nodes:,}", "edges": f"{self.n_edges:,}"}
        where = {"source": self.source, "licence": self.licence} | ({"address": self.url} if self.url else {})
        read = (
            {"read with": ", ".join(f"{name}={value!r}" for name, value in self.reading.items())}
            if self.reading
            else {}
        )
        return facts(self.name, {"what": self.title, **size, **where, **read})


_SNAP_ASKS = "none stated; SNAP asks for citation"
_HIGGS = "SNAP higgs-twitter; De Domenico et al., Sci. Rep. 3:2980 (2013)"
# A retweet or reply by A of B carries content from B to A, so its row (A, B) reads like "A follows B".
_FOLLOWS = {"edges_mean": "follows", "directed": True}
CARDS = {
    card.name: card
    for card in (
        Card(
            "platform-20k",
            "generated platform: 20,000 users, 8 communities, mixing 0.2, four creator tiers",
            "generate_platform(20_000, rng=7)",
            "BSD-3-Clause",
            20_000,
            240_000,
            None,
            None,
            {},
        ),
        Card(
            "higgs-retweet",
            "who retweeted whom on the Higgs boson news, Twitter, 1-7 July 2012",
            _HIGGS,
            _SNAP_ASKS,
            256_491,
            328_132,
            "higgs-retweet_network.edgelist.gz",
            "4097edebd539043cfc62d9b4ba67676f79523f6dbe896d345fcc127dec3e936e",
            {**_FOLLOWS, "weight": 2},
        ),
        Card(
            "higgs-reply",
            "who replied to whom on the Higgs boson news, Twitter, 1-7 July 2012",
            _HIGGS,
            _SNAP_ASKS,
            38_918,
            32_523,
            "higgs-reply_network.edgelist.gz",
            "449f13a5d0eebd1dff9874db4db662e8a83f9b789e0c68faec871cf069c8dea6",
            {**_FOLLOWS, "weight": 2},
        ),
        Card(
            "higgs-mention",
            "who mentioned whom on the Higgs boson news, Twitter, 1-7 July 2012",
            _HIGGS,
            _SNAP_ASKS,
            116_408,
            150_818,
            "higgs-mention_network.edgelist.gz",
            "df115f39619ec9736c460faa176810e12813a8c344e239ec53a439073f05173f",
            {**_FOLLOWS, "weight": 2},
        ),
        Card(
            "soc-slashdot0902",
            "Slashdot Zoo friend and foe links, February 2009",
            "SNAP soc-Slashdot0902; Leskovec et al., Internet Mathematics 6(1) (2009)",
            _SNAP_ASKS,
            82_168,
            948_464,
            "soc-Slashdot0902.txt.gz",
            "65072f0a2d98a444967bf3b8379a87e03292f2f9f8924f4fe470ddd047c95553",
            _FOLLOWS,
        ),
        Card(
            "ego-facebook",
            "friendships in ten ego networks, undirected",
            "SNAP ego-Facebook; McAuley and Leskovec, NIPS 2012",
            _SNAP_ASKS,
            4_039,
            88_234,
            "facebook_combined.txt.gz",
            "7cc432d08910b3a940ce90f7da94c13aaf048b04724eafcdf3050b28acc49daf",
            {"directed": False},
        ),
        Card(
            "soc-epinions1",
            "who trusts whom on Epinions",
            "SNAP soc-Epinions1; Richardson et al., ISWC 2003",
            _SNAP_ASKS,
            75_879,
            508_837,
            "soc-Epinions1.txt.gz",
            None,
            _FOLLOWS,
            "3e42b000e66cada74053ac7f8b24de291f9837264421dc2f3730b45cc58d17b1",
        ),
        Card(
            "wiki-vote",
            "votes in Wikipedia adminship elections",
            "SNAP wiki-Vote; Leskovec et al., CHI 2010",
            _SNAP_ASKS,
            7_115,
            103_689,
            "wiki-Vote.txt.gz",
            None,
            _FOLLOWS,
            "d2afbedf262126f820c6b3dd9f39a6d68e6f5ea839c0508297032ca77578b28a",
        ),
        Card(
            "com-dblp",
            "DBLP co-authorship, undirected",
            "SNAP com-DBLP; Yang and Leskovec, ICDM 2012",
            _SNAP_ASKS,
            317_080,
            1_049_866,
            "com-dblp.ungraph.txt.gz",
            None,
            {"directed": False},
            "a74a180811688cc736c3b9598e8a699423b953d3aafef1abc8cde1979d3a5cea",
        ),
        Card(
            "com-amazon",
            "products bought together, undirected",
            "SNAP com-Amazon; Yang and Leskovec, ICDM 2012",
            _SNAP_ASKS,
            334_863,
            925_872,
            "com-amazon.ungraph.txt.gz",
            None,
            {"directed": False},
            "5f0797399e2e6a756486ddacd40ffd3a82aa8cfd7fda6ca9a63197bd09dc6de8",
        ),
        Card(
            "com-youtube",
            "YouTube friendships, undirected",
            "SNAP com-Youtube; Yang and Leskovec, ICDM 2012",
            _SNAP_ASKS,
            1_134_890,
            2_987_624,
            "com-youtube.ungraph.txt.gz",
            None,
            {"directed": False},
            "0887e10ee5467d04c57e2e5c31002f9f8d7fb4bb9443194b417473fcc9a20fd0",
        ),
    )
}


def cards() -> dict[str, Card]:
    """Return the cards of all data sets by name.

    Returns
    -------
    dict of str to Card

    See Also
    --------
    datasets.load

    Examples
    --------
    >>> list(cards())[:2]
    ['platform-20k', 'higgs-retweet']
    """
    return dict(CARDS)


def _cache_folder() -> Path:
    import pooch

    given = os.environ.get("DIFFUSION_DATA")
    return Path(given) if given else Path(pooch.os_cache("diffusion-graphs"))


def load(name: str, **reading: Any) -> FollowerGraph:
    """Load a data set as a FollowerGraph.

    Parameters
    ----------
    name : str
        A name of `cards()`. Generated sets need no network; the others are downloaded once by pooch into the user's
        cache folder (or into the folder that the environment variable DIFFUSION_DATA names) and checked against their
        sha256.
    **reading
        Passed to `read_edges` in place of what the card says, such as ``edges_mean="influences"``.

    Returns
    -------
    FollowerGraph

    Raises
    ------
    NotFoundError
        An unknown name.
    MissingDataError
        The file is not here and cannot be downloaded, or is not the one that was published; says how to get it.

    See Also
    --------
    datasets.cards, read_edges, generate_platform

    Examples
    --------
    >>> import diffusion as dif
    >>> dif.datasets.load("platform-20k").n_edges
    240000
    """
    if name not in CARDS:
        raise NotFoundError(
            f"the data set {name!r} is unknown: there are {', '.join(CARDS)}." + did_you_mean(name, CARDS)
        )
    card = CARDS[name]
    if card.file is None:
        from .graph.generate import generate_platform

        if reading:
            raise InputError(f"the data set {name!r} is generated, not read: it takes no {', '.join(reading)}")
        return generate_platform(20_000, rng=7)
    from .graph.read import read_edges

    return read_edges(_fetch(card), **{**card.reading, **reading})


def _fetch(card: Card, retrieve: Callable[..., Any] | None = None) -> Path:
    import pooch

    assert card.file is not None
    folder = _cache_folder()
    known = f"sha256:{card.sha256}" if card.sha256 else None
    try:
        found = Path(
            (retrieve or pooch.retrieve)(card.url, known_hash=known, fname=card.file, path=folder, progressbar=True)
        )
        if card.text_sha256 is not None and _text_sha256(found) != card.text_sha256:
            raise ValueError("the hash of the text differs")
    except (OSError, EOFError, ValueError, zlib.error):
        if not (folder / card.file).is_file():
            what = f"is not in '{folder}' and cannot be downloaded now"
        else:
            what = f"in '{folder}' is not the one that was published"
        of = f"its sha256 is {card.sha256}" if card.sha256 else f"the sha256 of its text is {card.text_sha256}"
        raise MissingDataError(
            f"the data set {card.name!r} ({card.title}) {what}: fetch {card.url} on a machine with a network, check that {of}, "
            f"and put it at '{folder / card.file}', or name its folder in the environment variable DIFFUSION_DATA"
        ) from None
    return found


def _text_sha256(path: Path) -> str:
    """Hash of the text with CRLF line ends: copies differ in their line ends, and the known hashes are of CRLF texts."""
    digest = hashlib.sha256()
    with gzip.open(path, "rb") as text:
        while lines := text.readlines(1 << 20):
            digest.update(b"".join(lines).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    return digest.hexdigest()
