"""Data sets: complete cards, the generated default, and what is said offline, of damaged files and of other files."""

from __future__ import annotations

import gzip
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pooch
import pytest

import diffusion as dif
from diffusion import datasets
from diffusion.errors import InputError, MissingDataError, NotFoundError

SHA256 = re.compile(r"[0-9a-f]{64}")


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No network: a download that is tried fails as it does on a machine without one."""

    def none(self: object, url: str, output_file: object, *args: object, **options: object) -> None:
        raise ConnectionError(f"no route to {url}")

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", none)


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("DIFFUSION_DATA", str(tmp_path))
    return tmp_path


def test_cards_are_complete():
    cards = dif.datasets.cards()
    assert {"platform-20k", "higgs-retweet", "soc-slashdot0902", "ego-facebook", "soc-epinions1"} <= set(cards)
    for name, card in cards.items():
        assert name == card.name == name.lower()
        assert card.title
        assert card.source
        assert card.licence
        assert card.n_nodes > 0
        assert card.n_edges > 0
        if card.file is None:
            assert card.url is None
            continue
        assert card.url.startswith("https://snap.stanford.edu/data/")
        assert card.url.endswith("/" + card.file)
        assert (card.sha256 is None) != (card.text_sha256 is None)
        assert SHA256.fullmatch(card.sha256 or card.text_sha256)
        assert card.reading["directed"] is False or card.reading["edges_mean"] in ("follows", "influences")
    sums = [card.sha256 or card.text_sha256 for card in cards.values() if card.file]
    assert len(set(sums)) == len(sums)
    cards.clear()
    assert dif.datasets.cards()


def test_the_generated_default_needs_no_network(offline: None, folder: Path):
    graph = dif.datasets.load("platform-20k")
    card = dif.datasets.cards()["platform-20k"]
    assert (graph.n_nodes, graph.n_edges) == (card.n_nodes, card.n_edges)
    assert set(graph.node_data) == {"community", "tier", "price"}
    assert graph.fingerprint == dif.generate_platform(20_000, rng=7).fingerprint
    assert not list(folder.iterdir())
    with pytest.raises(InputError, match="takes no edges_mean"):
        dif.datasets.load("platform-20k", edges_mean="follows")


def test_an_unknown_name_is_refused():
    with pytest.raises(NotFoundError, match=r"'higgs-retwet' is unknown.*'higgs-retweet'"):
        dif.datasets.load("higgs-retwet")


@pytest.mark.parametrize("name", ["higgs-retweet", "com-dblp"])
def test_offline_it_says_how_to_get_the_file(name: str, offline: None, folder: Path):
    card = dif.datasets.cards()[name]
    with pytest.raises(MissingDataError) as error:
        dif.datasets.load(name)
    for part in (
        card.url,
        card.sha256 or card.text_sha256,
        str(folder / card.file),
        "DIFFUSION_DATA",
        "cannot be downloaded",
    ):
        assert part in str(error.value)
    assert "\n" not in str(error.value)
    assert not list(folder.iterdir())


def test_a_retrieve_that_fails_says_the_same(monkeypatch: pytest.MonkeyPatch, folder: Path):
    def fails(*args: Any, **options: Any) -> None:
        raise OSError("proxy says no")

    monkeypatch.setattr(pooch, "retrieve", fails)
    with pytest.raises(MissingDataError, match=r"cannot be downloaded now: fetch https://.*facebook_combined"):
        dif.datasets.load("ego-facebook")


def other_text(path: Path) -> None:
    with gzip.open(path, "wt") as file:
        file.write("0 1\n1 2\n")


def truncated(path: Path) -> None:
    other_text(path)
    path.write_bytes(path.read_bytes()[:-9])


def damaged(path: Path) -> None:
    with gzip.open(path, "wt") as file:
        file.writelines(f"{i} {i * i % 977}\n" for i in range(3000))
    raw = bytearray(path.read_bytes())
    for i in range(200, 1200):
        raw[i] ^= 0x5A
    path.write_bytes(raw)


def plain(path: Path) -> None:
    path.write_text("0 1\n")


@pytest.mark.parametrize("name", ["ego-facebook", "wiki-vote"])  # checksum of the file, checksum of its text
@pytest.mark.parametrize("spoil", [other_text, truncated, damaged, plain])
def test_a_file_that_is_not_the_published_one_is_refused(
    name: str, spoil: Callable[[Path], None], offline: None, folder: Path
):
    file = folder / dif.datasets.cards()[name].file
    spoil(file)
    before = file.read_bytes()
    with pytest.raises(MissingDataError, match="is not the one that was published") as error:
        dif.datasets.load(name)
    assert "sha256" in str(error.value)
    assert file.read_bytes() == before


@pytest.mark.parametrize("name", ["higgs-retweet", "soc-slashdot0902", "ego-facebook"])
def test_original_files_are_read_offline(
    name: str, data: Callable[[str], Path], offline: None, monkeypatch: pytest.MonkeyPatch
):
    card = dif.datasets.cards()[name]
    monkeypatch.setenv("DIFFUSION_DATA", str(data(card.file).parent))
    graph = dif.datasets.load(name)
    assert graph.n_nodes == card.n_nodes
    assert graph.rows == card.n_edges
    assert graph.directed is card.reading["directed"]


@pytest.mark.parametrize("name", ["soc-epinions1", "wiki-vote", "com-dblp"])
def test_a_copy_packed_anew_is_known_by_its_text(
    name: str, data: Callable[[str], Path], offline: None, monkeypatch: pytest.MonkeyPatch
):
    card = dif.datasets.cards()[name]
    file = data(card.file)
    assert datasets._text_sha256(file) == card.text_sha256
    monkeypatch.setenv("DIFFUSION_DATA", str(file.parent))
    if name != "com-dblp":
        graph = dif.datasets.load(name)
        assert (graph.n_nodes, graph.rows) == (card.n_nodes, card.n_edges)


def test_line_ends_do_not_matter_but_every_other_byte_does(data: Callable[[str], Path], offline: None, folder: Path):
    card = dif.datasets.cards()["wiki-vote"]
    text = gzip.decompress(data(card.file).read_bytes())
    (folder / card.file).write_bytes(gzip.compress(text.replace(b"\r\n", b"\n"), 1))
    assert dif.datasets.load("wiki-vote").n_nodes == card.n_nodes
    (folder / card.file).write_bytes(gzip.compress(text.replace(b"30\t1412", b"30\t1413", 1), 1))
    with pytest.raises(MissingDataError, match="is not the one that was published"):
        dif.datasets.load("wiki-vote")


def test_reading_can_be_told_otherwise(data: Callable[[str], Path], offline: None, folder: Path):
    card = dif.datasets.cards()["higgs-reply"]
    shutil.copy(data(card.file), folder)
    follows = dif.datasets.load("higgs-reply")
    influences = dif.datasets.load("higgs-reply", edges_mean="influences")
    assert follows.out_degree.max() != influences.out_degree.max()
    assert follows.out_degree.max() == influences.in_degree.max()


def test_the_cards_stand_in_the_readme_of_the_data_sets():
    text = (Path(__file__).parents[1] / "datasets" / "README.md").read_text(encoding="utf-8")
    for name, card in dif.datasets.cards().items():
        assert f"`{name}`" in text
        assert f"{card.n_nodes:,}" in text
