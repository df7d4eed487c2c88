"""The glossary: every term is explained once, in two short sentences, and the page has a place for it."""

from __future__ import annotations

import re
from collections import Counter
from itertools import chain

import pytest

from explorer.inspection import inspect
from explorer.spec import DEPTHS, FIELD_LABELS, FIELDS, PRESETS, Option, ResNetSpec, title
from explorer.views.diagram.locate import locate
from explorer.views.diagram.model import build_diagram, default_open
from explorer.views.glossary.place import place_of
from explorer.views.glossary.texts import texts
from explorer.views.kit.glossary import GROUPS, TERMS, find
from explorer.views.kit.glossary.options import CHOICES, LABELS, option_hints

SENTENCES = re.compile(r"(?<=[.?!])\s+(?=[A-Z0-9“])")
IN_DIAGRAM = [term for term in TERMS if term.show.at]
OPTIONS = list(chain.from_iterable(hints.values() for hints in option_hints().values()))


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.key)
def test_a_term_is_two_sentences_of_at_most_forty_words_with_a_source_and_a_place(term):
    assert len(SENTENCES.split(term.words)) == 2
    assert len(term.words.split()) <= 40
    assert term.words.endswith(".")
    assert re.search(r"\d{4}|documentation|tutorial|This page", term.source)
    assert bool(term.show.at) != bool(term.show.place)


def test_there_are_about_ninety_terms_and_no_name_twice():
    assert 60 <= len(TERMS) <= 110
    names = Counter(name.casefold() for term in TERMS for name in (term.name, *term.also))
    assert [name for name, count in names.items() if count > 1] == []
    keys = [term.key for term in TERMS]
    assert len(set(keys)) == len(keys)
    assert sum(map(len, GROUPS.values())) == len(TERMS)


@pytest.mark.parametrize("name", ["bottleneck", "Skip Connection", "fan-out", "1x1-convolution", "saved tensors"])
def test_a_term_is_found_by_key_name_and_synonym(name):
    term = find(name)
    assert name.casefold() in {term.key, *(known.casefold() for known in (term.name, *term.also))}


def test_an_unknown_term_is_an_error():
    with pytest.raises(KeyError):
        find("flux capacitor")


# ---- options of the builder --------------------------------------------------------------------------------


def test_every_control_and_every_choice_of_the_builder_has_a_hint():
    hints = option_hints()
    assert set(hints) == {*FIELD_LABELS, "preset", "depth"}
    choices = {name: type(value) for name, value in vars(ResNetSpec()).items() if isinstance(value, Option)}
    for name in FIELDS:
        assert set(hints[name]) - {""} == {*choices.get(name, ())}
    assert set(hints["preset"]) - {""} == {*map(title, PRESETS.values()), "Custom"}
    assert set(hints["depth"]) - {""} == {*map(str, DEPTHS)}
    assert {name: list(words) for name, words in CHOICES.items()} == {
        name: list(options) for name, options in choices.items()
    }


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_a_hint_is_one_or_two_sentences_and_leads_to_a_term(option):
    assert 1 <= len(SENTENCES.split(option.words)) <= 2
    assert len(option.words.split()) <= 40
    assert option.words.endswith(".")
    assert find(option.term) in TERMS


def test_a_preset_says_its_blocks_and_its_cost():
    hint = option_hints()["preset"]["ResNet-50"]
    assert hint.words == (
        "3, 4, 6, 3 bottleneck blocks, 50 weighted layers. 25.6 M parameters and 4.09 GMACs for an image of 224 px."
    )


def test_the_page_gets_everything_at_once():
    got = texts()
    assert set(got["terms"]) == {term.key for term in TERMS}
    assert got["options"]["block"]["bottleneck"]["term"] == "bottleneck-block"
    assert got["labels"] == {label: find(name).key for label, name in LABELS.items()}
    assert got["list"].count("<article") == len(TERMS)


# ---- places in the page ------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", ["resnet18", "resnext50_32x4d", "preact_resnet164", "cifar_resnet20"])
@pytest.mark.parametrize("term", IN_DIAGRAM, ids=lambda term: term.key)
def test_the_diagram_has_the_box_of_every_term(term, start):
    place = place_of(term.show, PRESETS[start])
    report = inspect(place.spec)
    opened, found = locate(report, default_open(report), place.at)
    diagram = build_diagram(report, opened)
    assert found in {*(node.id for node in diagram.nodes), *(group.id for group in diagram.groups)}
    assert place_of(term.show, place.spec) == place  # a network that shows it stays


def test_the_network_changes_only_if_it_has_to():
    spec = PRESETS["resnet50"].with_(norm="group")
    assert place_of(find("bottleneck").show, spec).spec == spec
    assert place_of(find("group norm").show, spec).spec == spec
    assert place_of(find("batch norm").show, spec).spec == PRESETS["resnet50"]
    plain = PRESETS["resnet18"].with_(shortcut="none")
    assert place_of(find("residual addition").show, plain).spec == PRESETS["resnet18"]


def test_a_shape_mismatch_is_shown_by_a_network_that_has_one():
    place = place_of(find("shape mismatch").show, PRESETS["resnet18"])
    assert place.spec.shortcut == "identity"
    assert place.at == "layer2.0:add"
