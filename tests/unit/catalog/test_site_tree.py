"""Every site of the catalogue is shown somewhere on the body map, or said not to be drawn."""

import csv
from types import MappingProxyType

import pytest

from capture_app.catalog.body_map import BodyMap, How, load_body_map
from capture_app.catalog.catalog import Catalog, RegionKey
from capture_app.catalog.load import load_catalog
from capture_app.catalog.site_tree import SiteTree
from capture_app.errors import CatalogError
from capture_app.model.procedure import Side
from capture_app.settings.resources import resource

SMALL = ("front", "back")
NOT_DRAWN = {
    *("Esophagus", "Hair", "Joint", "Lumen of blood vessel", "Nasopharynx", "Phantom", "Skin"),
    *("Anus, rectum and sigmoid colon", "Urethra", "Intra-pelvic", "Uterus and fallopian tubes"),
    *("Cervix", "Prostate", "Rectum"),
}
"""What is inside the body and under no site in particular, and what is no place of the body."""


@pytest.fixture(scope="module")
def body_map() -> BodyMap:
    return load_body_map()


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


def labels(catalog: Catalog) -> dict[RegionKey, str]:
    return {region.code.key: region.label for region in catalog.regions}


def places(body_map: BodyMap, catalog: Catalog, label: str) -> tuple[How, set[str]]:
    names = labels(catalog)
    (site,) = (key for key, name in names.items() if name == label)
    shown = body_map.shown_at(site, SMALL)
    return shown.how, {names[place] for place in shown.sites}


def test_the_tree_and_the_catalogue_list_the_same_sites(
    body_map: BodyMap, catalog: Catalog
) -> None:
    assert set(body_map.tree.within) == {region.code.key for region in catalog.regions}
    assert len(body_map.tree.within) == 474


def test_the_names_in_the_file_are_those_of_the_codes_beside_them(catalog: Catalog) -> None:
    names = labels(catalog)
    with resource("catalog/within.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            assert names[row["scheme"], row["code"]] == row["label"]
            holders = [names[scheme, code] for scheme, code in pairs(row["within"])]
            assert "; ".join(holders) == row["within_labels"], row["label"]


def pairs(text: str) -> list[tuple[str, str]]:
    found = (item.split(":") for item in text.split())
    return [(scheme, code) for scheme, code in found]


def test_each_site_is_shown_or_said_not_to_be_drawn(body_map: BodyMap, catalog: Catalog) -> None:
    drawn = {r.site for name in SMALL for r in body_map.views[name].regions}
    absent, elsewhere = set(), set()
    for region in catalog.regions:
        shown = body_map.shown_at(region.code.key, SMALL)
        assert set(shown.sites) <= drawn, region.label
        assert bool(shown.sites) is (shown.how not in {How.NOWHERE, How.ELSEWHERE}), region.label
        assert (shown.how is How.ITSELF) is (region.code.key in drawn), region.label
        if shown.how is How.NOWHERE:
            absent.add(region.label)
        elif shown.how is How.ELSEWHERE:
            elsewhere.add(region.label)
            assert shown.title == "Pelvic skin"
    assert absent == NOT_DRAWN
    assert elsewhere == {"Anus", "Perianal skin", "Perineum"}


@pytest.mark.parametrize(
    ("label", "how", "sites"),
    [
        ("Femur", How.WITHIN, {"Thigh, front", "Thigh, back"}),
        ("Thigh", How.PARTS, {"Thigh, front", "Thigh, back"}),
        ("Skin of tragus", How.WITHIN, {"Ear"}),
        ("Chin", How.WITHIN, {"Face"}),
        ("Upper eyelid", How.WITHIN, {"Face"}),
        ("Under the chin", How.WITHIN, {"Neck, front"}),
        ("Index finger nail", How.WITHIN, {"Fingers and thumb"}),
        ("Heel, inner", How.WITHIN, {"Heel"}),
        ("Skin of malleolus", How.WITHIN, {"Ankle"}),
        ("Skin of glans penis", How.WITHIN, {"External genitalia"}),
        ("Kidney", How.WITHIN, {"Flank"}),
        ("Lower leg, front (shin)", How.ITSELF, {"Lower leg, front (shin)"}),
    ],
)
def test_a_site_is_shown_at_the_nearest_that_is_drawn(
    body_map: BodyMap, catalog: Catalog, label: str, how: How, sites: set[str]
) -> None:
    assert places(body_map, catalog, label) == (how, sites)


def test_a_closer_view_shows_the_parts_of_what_only_the_whole_figure_draws(
    body_map: BodyMap,
) -> None:
    face = ("SCT", "73897004")
    chin = ("SCT", "23747009")
    assert body_map.shown_at(face, ["face"]).how is How.PARTS
    assert chin in body_map.shown_at(face, ["face"]).sites
    assert body_map.shown_at(chin, ["face"]).how is How.ITSELF


@pytest.mark.parametrize("views", [("hand_palm_R", "hand_palm_L"), ("foot_sole_R",), ("perineum",)])
def test_a_view_of_another_part_of_the_body_shows_nothing(
    body_map: BodyMap, views: tuple[str, ...]
) -> None:
    forearm = ("SCT", "70559009")
    shown = body_map.shown_at(forearm, views)
    assert (shown.how, shown.sites, shown.title) == (How.ELSEWHERE, (), "Front")


def test_what_is_always_on_one_side_is_shown_there(body_map: BodyMap) -> None:
    upper_right = body_map.shown_at(("SCT", "50519007"), SMALL)
    assert upper_right.side is Side.RIGHT
    assert body_map.shown_at(("SCT", "122496007"), SMALL).side is Side.MIDLINE  # lumbar spine


@pytest.mark.parametrize(
    ("within", "said"),
    [
        ({("SCT", "1"): (("SCT", "2"),)}, "no site"),
        ({("SCT", "1"): (("SCT", "2"),), ("SCT", "2"): (("SCT", "1"),)}, "lies in itself"),
    ],
)
def test_a_tree_that_is_none_is_refused(
    within: dict[RegionKey, tuple[RegionKey, ...]], said: str
) -> None:
    with pytest.raises(CatalogError, match=said):
        SiteTree(MappingProxyType(within), MappingProxyType({}))
