"""A spec as JSON and as a URL: there and back, and what is refused."""

from __future__ import annotations

import json
import time
from urllib.parse import quote

import pytest
from hypothesis import given

from explorer.errors import SpecError
from explorer.spec import FIELDS, PRESETS, ResNetSpec, from_json, from_query, from_words, to_dict, to_json, to_query
from tests.support.refusals import BLOCKS, NAMES, SHORTCUTS, refused
from tests.support.strategies import described, specs

# ---- JSON --------------------------------------------------------------------------------------------------


@given(spec=specs())
def test_json_loses_nothing(spec):
    text = to_json(spec)
    assert from_json(text) == spec
    assert to_json(from_json(text)) == text
    assert list(json.loads(text)) == ["schema", *FIELDS]


def test_json_is_plain_and_readable():
    assert json.loads(to_json(described(shortcut_overrides={"layer2.0": "identity"}))) == {
        "schema": 1,
        "depths": [2, 2, 2, 2],
        "block": "basic",
        "shortcut": "projection",
        "stem": "imagenet",
        "widths": [64, 128, 256, 512],
        "groups": 1,
        "width_per_group": 64,
        "stride_on": "v1.5",
        "norm": "batch",
        "activation": "relu",
        "init": "he",
        "zero_init_residual": False,
        "zero_pad": "append",
        "num_classes": 1000,
        "in_channels": 3,
        "image_size": 224,
        "shortcut_overrides": {"layer2.0": "identity"},
    }


def test_the_longest_spec_still_fits_json_and_url():
    paths = [f"layer{stage}.{i}" for stage in (1, 2) for i in range(512)]
    spec = described(depths=(512, 512), widths=(4, 4), shortcut_overrides=dict.fromkeys(paths, "projection_all"))
    assert from_json(to_json(spec)) == spec
    assert from_query(to_query(spec)) == spec


def test_absent_fields_keep_the_preset():
    assert from_json("{}") == ResNetSpec()
    assert from_json('{"preset": "resnet50", "num_classes": 10}') == PRESETS["resnet50"].with_(num_classes=10)
    with refused("preset", f"got 'resnet19'; allowed: {', '.join(PRESETS)}"):
        from_json('{"preset": "resnet19"}')
    with refused("preset", f"got ['resnet18']; allowed: {', '.join(PRESETS)}"):
        from_json('{"preset": ["resnet18"]}')


@pytest.mark.parametrize(
    ("text", "field", "sentence"),
    [
        ('{"image_size": -1}', "image_size", "got -1; a whole number from 1 to 2048 is allowed"),
        ('{"image_size": 32.0}', "image_size", "got 32.0; a whole number from 1 to 2048 is allowed"),
        ('{"image_size": true}', "image_size", "got True; a whole number from 1 to 2048 is allowed"),
        ('{"image_size": "3"}', "image_size", "got '3'; a whole number from 1 to 2048 is allowed"),
        ('{"image_size": 1e999}', "image_size", "got inf; a whole number from 1 to 2048 is allowed"),
        (f'{{"image_size": 1{"0" * 30}}}', "image_size", "got an integer of more than 18 digits; "
         "a whole number from 1 to 2048 is allowed"),
        ('{"widths": [64, 128, 256, 2147483648]}', "widths[3]", "got 2147483648; "
         "a whole number from 1 to 8192 is allowed"),
        ('{"image_size": NaN}', "spec", "NaN is not a number a network can have"),
        ('{"image_size": Infinity}', "spec", "Infinity is not a number a network can have"),
        ('{"widths": [1, -Infinity]}', "spec", "-Infinity is not a number a network can have"),
        ('{"dephts": [1]}', "dephts", f"no such field; known fields: {NAMES}"),
        ('{"": 1}', "", f"no such field; known fields: {NAMES}"),
        (r'{"\ud800": 1}', r"\ud800", f"no such field; known fields: {NAMES}"),
        ('{"\u202e\u05d0": 1}', r"\u202e\u05d0", f"no such field; known fields: {NAMES}"),
        (r'{"block": "\udfff"}', "block", r"got '\udfff'; "
         f"allowed: {BLOCKS}"),
        ('{"depths": [1], "depths": [1]}', "depths", "given twice; give each field once"),
        ('{"shortcut_overrides": {"layer1.0": "none", "layer1.0": "identity"}}', "layer1.0",
         "given twice; give each field once"),
        ('{"schema": 0}', "schema", "got 0; this version reads schema 1"),
        ('{"schema": 2}', "schema", "got 2; this version reads schema 1"),
        ('{"schema": true}', "schema", "got True; this version reads schema 1"),
        ('{"schema": "1"}', "schema", "got '1'; this version reads schema 1"),
        ('{"schema": null}', "schema", "got None; this version reads schema 1"),
        ("[]", "spec", "expected a JSON object with the fields of a network"),
        ("null", "spec", "expected a JSON object with the fields of a network"),
        ('"resnet18"', "spec", "expected a JSON object with the fields of a network"),
        ("", "spec", "not valid JSON: Expecting value: line 1 column 1 (char 0)"),
        ("{'depths': 1}", "spec", "not valid JSON: Expecting property name enclosed in double quotes: "
         "line 1 column 2 (char 1)"),
        ("{} {}", "spec", "not valid JSON: Extra data: line 1 column 4 (char 3)"),
        ("depths: [1]", "spec", "not valid JSON: Expecting value: line 1 column 1 (char 0)"),
    ],
)  # fmt: skip
def test_bad_json(text, field, sentence):
    with refused(field, sentence):
        from_json(text)


def test_a_number_of_five_thousand_digits():
    with pytest.raises(SpecError, match=r"\Aspec: not valid JSON: Exceeds the limit .{,130}\Z"):
        from_json('{"image_size": 1' + "0" * 5000 + "}")


def test_ten_megabytes_of_json():
    text = '{"block": "' + "x" * 10_000_000 + '"}'
    with refused("spec", f"got {len(text):,} characters of JSON; at most 65,536 are allowed"):
        from_json(text)
    with refused("spec", "got 65,537 characters of JSON; at most 65,536 are allowed"):
        from_json(" " * 65_535 + "{}")
    assert from_json(" " * 65_534 + "{}") == ResNetSpec()


DEEP = "JSON nested deeper than 8 levels; a spec needs two"


@pytest.mark.parametrize(
    "text",
    [
        "[" * 60_000,
        '{"a":' * 10_000,
        "[" * 9 + "]" * 9,
        # closing brackets inside strings hide nothing
        '{"a": "' + "]" * 30_000 + '", "b": ' + "[" * 30_000,
        '["]",' * 5_000 + "1" + "]" * 5_000,
        r'["\"]",' * 5_000 + "1" + "]" * 5_000,
        r'["\\",' * 5_000 + "1" + "]" * 5_000,
    ],
    ids=lambda text: text[:12],
)
def test_deep_nesting(text):
    with refused("spec", DEEP):
        from_json(text)


def test_a_hundred_thousand_levels():
    with refused("spec", "got 100,000 characters of JSON; at most 65,536 are allowed"):
        from_json("[" * 100_000)


def test_brackets_inside_strings_are_not_nesting():
    with refused("block", f"got '[[[[[[[[[[[['; allowed: {BLOCKS}"):
        from_json('{"block": "[[[[[[[[[[[["}')
    with refused("depths[0]", "got [[[[[[]]]]]]; a whole number from 1 to 512 is allowed"):
        from_json('{"depths": ' + "[" * 7 + "]" * 7 + "}")


@pytest.mark.parametrize("text", ['"' + '\\"' * 32_000, '"' * 65_000, '"' + "\\" * 64_001])
def test_looking_for_brackets_takes_linear_time(text):
    started = time.process_time()
    with pytest.raises(SpecError, match=r"\Aspec: not valid JSON: "):
        from_json(text)
    assert time.process_time() - started < 1


# ---- URLs --------------------------------------------------------------------------------------------------


@given(spec=specs())
def test_url_loses_nothing(spec):
    query = to_query(spec)
    assert from_query(query) == spec
    assert quote(query, safe="=&,:.%+") == query  # fit for an address bar as it is


@pytest.mark.parametrize("name", PRESETS)
def test_presets_have_short_urls(name):
    query = to_query(PRESETS[name])
    assert query == ("" if name == "resnet18" else f"preset={name}")
    assert from_query(query) == PRESETS[name]


def test_urls_say_only_what_differs():
    spec = described(depths=(3, 4, 6, 3), shortcut="identity", shortcut_overrides={"layer2.0": "zero_pad"})
    assert to_query(spec) == "depths=3,4,6,3&shortcut=identity&shortcut_overrides=layer2.0:zero_pad"


def test_a_page_puts_other_things_in_its_url():
    assert from_query("utm_source=x&__theme=dark&block=bottleneck&tab=2") == described(block="bottleneck")
    assert from_query({"preset": "resnet50", "image_size": "64", "q": "?"}) == PRESETS["resnet50"].with_(image_size=64)


@pytest.mark.parametrize(
    ("query", "field", "sentence"),
    [
        ("depths=2,2,2,x", "depths[3]", "got 'x'; a whole number from 1 to 512 is allowed"),
        ("depths=2,2,,2", "depths[2]", "got ''; a whole number from 1 to 512 is allowed"),
        ("depths=2,2,2", "widths", "got 4 widths for 3 stages; give one width for each stage"),
        ("image_size=-1", "image_size", "got -1; a whole number from 1 to 2048 is allowed"),
        ("image_size=--3", "image_size", "got '--3'; a whole number from 1 to 2048 is allowed"),
        ("image_size=1e3", "image_size", "got '1e3'; a whole number from 1 to 2048 is allowed"),
        ("image_size=32.0", "image_size", "got '32.0'; a whole number from 1 to 2048 is allowed"),
        ("image_size=1_0", "image_size", "got '1_0'; a whole number from 1 to 2048 is allowed"),
        ("image_size=0x20", "image_size", "got '0x20'; a whole number from 1 to 2048 is allowed"),
        ("image_size=%D9%A3", "image_size", r"got '\u0663'; a whole number from 1 to 2048 is allowed"),
        ("image_size=%FF", "image_size", r"got '\ufffd'; a whole number from 1 to 2048 is allowed"),
        ("image_size=1" + "0" * 30, "image_size", "got '1" + "0" * 30 + "'; "
         "a whole number from 1 to 2048 is allowed"),
        ("zero_init_residual=yes", "zero_init_residual", "got 'yes'; true or false is allowed"),
        ("norm=none2", "norm", "got 'none2'; allowed: batch, group, none"),
        ("shortcut_overrides=layer9.0:identity", "shortcut_overrides",
         "no block is named 'layer9.0'; blocks run from layer1.0 to layer4.1"),
        ("shortcut_overrides=layer2.0", "shortcut_overrides.layer2.0",
         f"got ''; allowed: {SHORTCUTS}"),
        ("shortcut_overrides=layer2.0:a:b", "shortcut_overrides.layer2.0",
         f"got 'a:b'; allowed: {SHORTCUTS}"),
        ("preset=resnet19", "preset", f"got 'resnet19'; allowed: {', '.join(PRESETS)}"),
        ("preset=resnet50&groups=0", "groups", "got 0; a whole number from 1 to 1024 is allowed"),
    ],
)  # fmt: skip
def test_edited_urls(query, field, sentence):
    with refused(field, sentence):
        from_query(query)


def test_words_over_a_base_keep_the_other_fields():
    base = PRESETS["cifar_resnet20"]
    assert from_words([("shortcut", "identity"), ("image_size", " 64 ")], base) == base.with_(
        shortcut="identity", image_size=64
    )
    with refused("dephts", f"no such field; known fields: {NAMES}"):
        from_words([("dephts", "1")], base)


@given(spec=specs())
def test_one_edited_field_leaves_the_others_alone(spec):
    edited = from_words([("image_size", "17"), ("zero_init_residual", "true")], spec)
    assert to_dict(edited) == {**to_dict(spec), "image_size": 17, "zero_init_residual": True}
