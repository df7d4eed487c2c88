"""What a spec's refusals say, word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from explorer.errors import SpecError
from explorer.spec import FIELDS, Block, Shortcut

NAMES = ", ".join(FIELDS)
BLOCKS = ", ".join(Block)
SHORTCUTS = ", ".join(Shortcut)


@contextmanager
def refused(field: str, sentence: str) -> Iterator[None]:
    """The block raises exactly this: the field's name, what is wrong, what is allowed."""
    whole = f"{field}: {sentence}"
    with pytest.raises(SpecError, match=rf"\A{re.escape(whole)}\Z") as caught:
        yield
    assert caught.value.field == field
