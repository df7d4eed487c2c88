"""No sentence of the project uses an old-fashioned word, a negated noun or a term that the field does not use."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.words import Sentence, spoken, written

# What to say instead -> what must not be said.
RULES: dict[str, re.Pattern[str]] = {
    say: re.compile(pattern)
    for say, pattern in {
        "begin with the subject, not with “Of”": r"(?:^|[.:;] )Of (?!course)",
        "again": r"\banew\b|\bonce more\b",
        "fix": r"\b[Mm]end(?:s|ed|ing)?\b",
        "also": r"\b[Bb]esides\b",
        "in total": r"\bin all(?=[.,;:)]|$)",
        "who, or the user": r"\b[Ww]hoever\b",
        "the same": r"\bthe very\b",
        "on": r"\bupon\b",
        "is": r"\b(?:stands|stood)\b(?! (?:in )?for\b)|\blies\b",
        "contain, or store": r"(?<!signal )(?<!gradient )(?<!explodes or )(?<!It )\b(?:[Hh]olds|it held)\b(?! out)",
        "is not a …": r"(?<![Tt]here )\b(?:is|are|was|were) no (?=[a-z])(?!(?:longer|more)\b)",
        "shape mismatch, or does not match": r"\b[Mm]isfits?\b|\b(?:does not|do not|doesn't|don't) fit\b|\bsuits its\b",
        "root cause": r"\bculprits?\b|\bdistrust",
        "expand repeated blocks": r"\breplay",
        "saved for backward": r"\bkept for (?:the )?backward\b",
        "train a head, or transfer learning": r"\b(?:[Tt]aught|[Tt]each(?:es|ing)?|[Ll]essons?)\b",
        "in-distribution, or out-of-distribution": r"\b(?:un)?familiar\b(?!:)|\bset apart\b",
        "cross-validated accuracy": r"\bnamed right(?:ly)?\b",
        "session expired": r"\bnot kept here\b",
        "queue, position 2": r"\bin line,|\bothers before\b",
        "resume, or continue": r"\b(?:goes|go|going) on\b",
        "can, or is able to": r"\bis able\b|\bcan be had\b|\bbe had\b",
        "expected …": r"\bis expected$|\bis expected(?=; got)",
        "package, or module": r"\b(?:room|rooms) (?:above|below|that)\b|\bfloors?\b",
        "for example": r", as (?:resnet|cifar|shortcut|layer|zero_pad|depths|20,32)",
    }.items()
}


def find_faults(sentences: list[Sentence]) -> Iterator[str]:
    """Name file, line, what to say instead and the words, for every sentence that breaks a rule."""
    for sentence in sentences:
        text = re.sub(r"``[^`]*``|`[^`]*`", "…", sentence.text)  # code is not a sentence
        for say, pattern in RULES.items():
            if match := pattern.search(text):
                yield f"{sentence.place}:{sentence.line}: “{match.group().strip()}”: say “{say}”: {sentence.text[:160]}"


def test_sentences_of_the_program_use_words_that_readers_know() -> None:
    assert not list(find_faults(spoken()))


def test_docstrings_comments_and_documents_use_words_that_readers_know() -> None:
    assert not list(find_faults(written()))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Of the spec, nothing is changed.", "Of"),
        ("The file is no photo.", "is no"),
        ("Its shortcut does not fit.", "does not fit"),
        ("Start it anew.", "anew"),
        ("A head that was taught here.", "taught"),
        ("This file is not kept here any more.", "not kept here"),
    ],
)
def test_each_kind_of_fault_is_found(text: str, fault: str) -> None:
    (found,) = find_faults([Sentence("README.md", 7, text)])
    assert found.startswith(f"README.md:7: “{fault}”: say “")


@pytest.mark.parametrize(
    "text",
    ["There is no such file.", "Rows in all tables are sorted.", "Code such as ``teach`` stays."],
)
def test_plain_sentences_pass(text: str) -> None:
    assert not list(find_faults([Sentence("README.md", 7, text)]))
