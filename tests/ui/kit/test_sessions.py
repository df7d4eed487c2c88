"""Session stores: who has what, within which bounds and for how long; and that a closed page leaves nothing behind."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import gradio as gr
import pytest

from explorer.errors import ExplorerError, ImageError
from explorer.ui.kit import sessions
from explorer.ui.kit.sessions import Limits, SessionStore

GONE = "This thing is not here any more."


class Clock:
    """Seconds, as a test sets them."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def new_store(**limits: Any) -> SessionStore[str]:
    return SessionStore(GONE, Limits(**limits))


def values(store: SessionStore[str], session: str = "page") -> list[str]:
    return [value for _, value in store.of(session)]


def has(store: SessionStore[str], token: str) -> bool:
    try:
        return bool(store.find(token))
    except ExplorerError:
        return False


# Whose a value is


def test_a_token_finds_its_value_and_only_its_session_lists_it() -> None:
    store = new_store()
    mine, other = store.put("mine", "page"), store.put("other", "another page")
    assert (store.find(mine), store.find(other)) == ("mine", "other")
    assert store.of("page") == [(mine, "mine")]
    assert store.of("a third page") == []
    assert len(store) == 2


def test_nobody_can_guess_a_token() -> None:
    store = new_store()
    tokens = {store.put("value", "page") for _ in range(200)}
    assert len(tokens) == 200
    assert min(map(len, tokens)) >= 22  # 128 random bits
    for guess in ("", "0", "page", min(tokens)[:-1]):
        with pytest.raises(ExplorerError, match=GONE):
            store.find(guess)


def test_the_session_can_be_asked_for_too() -> None:
    store = new_store()
    token = store.put("value", "page")
    assert store.find(token, "page") == "value"
    with pytest.raises(ExplorerError, match=GONE):
        store.find(token, "another page")
    with pytest.raises(ExplorerError, match=GONE):
        store.drop(token, "another page")
    assert store.find(token) == "value"
    store.drop(token, "page")
    assert not has(store, token)


def test_the_first_session_that_claims_a_value_has_it() -> None:
    store = new_store(per_session=2)
    token = store.put("nobody's")
    assert store.of("page") == []
    assert store.claim(token, "page") == "nobody's"
    assert store.claim(token, "another page") == "nobody's", "a token is enough to use it"
    assert store.of("page") == [(token, "nobody's")]
    assert store.of("another page") == []
    for name in ("second", "third"):
        store.claim(store.put(name), "page")
    assert values(store) == ["third", "second"], "a claimed value counts among the session's"


def test_the_error_is_the_owners_sentence_and_kind() -> None:
    store = SessionStore[str](GONE, Limits(), error=ImageError)
    with pytest.raises(ImageError, match=rf"^{GONE}$"):
        store.find("nothing")
    assert isinstance(store.gone_error(), ImageError)


def test_dropping_a_value_or_an_unknown_token() -> None:
    store = new_store()
    token = store.put("value", "page")
    store.drop(token)
    store.drop(token)
    assert not has(store, token)


# Bounds


def test_the_value_used_longest_ago_goes_first() -> None:
    store = new_store(count=3)
    first, second, third = (store.put(name, "page") for name in ("first", "second", "third"))
    store.find(first)
    assert values(store) == ["first", "third", "second"]
    store.put("fourth", "another page")
    assert [has(store, token) for token in (first, second, third)] == [True, False, True]


def test_by_arrival_the_oldest_goes_first_even_if_it_was_used() -> None:
    store = SessionStore[str](GONE, Limits(count=3), by_arrival=True)
    first, second, third = (store.put(name, "page") for name in ("first", "second", "third"))
    store.find(first)
    assert values(store) == ["third", "second", "first"]
    store.put("fourth", "another page")
    assert [has(store, token) for token in (first, second, third)] == [False, True, True]


def test_a_session_has_its_own_number_of_values() -> None:
    store = new_store(per_session=2)
    other = store.put("other", "another page")
    for number in range(5):
        store.put(str(number), "page")
    assert values(store) == ["4", "3"]
    assert has(store, other), "one session does not push out another's"


def test_all_values_together_have_a_size() -> None:
    store = SessionStore[str](GONE, Limits(size=10), size=len)
    first, second = store.put("12345", "page"), store.put("67890", "page")
    assert [has(store, token) for token in (first, second)] == [True, True]
    third = store.put("x", "another page")
    assert [has(store, token) for token in (first, second, third)] == [False, True, True]
    large = store.put("y" * 100, "page")
    assert values(store) == ["y" * 100]
    assert len(store) == 1
    assert has(store, large), "one value alone may be larger"


def test_a_value_that_grows_makes_room_when_the_store_is_used_next() -> None:
    store = SessionStore[list[int]](GONE, Limits(size=4), size=len)
    first, growing = store.put([1, 2], "page"), store.put([1], "page")
    store.find(growing).extend([2, 3, 4])
    assert [value for _, value in store.of("page")] == [[1, 2, 3, 4]]
    with pytest.raises(ExplorerError, match=GONE):
        store.find(first)


def test_a_value_without_use_expires() -> None:
    clock = Clock()
    store = SessionStore[str](GONE, Limits(seconds=60), clock=clock)
    used, unused = store.put("used", "page"), store.put("unused", "page")
    clock.now += 59
    assert store.find(used) == "used"
    clock.now += 2
    assert values(store) == ["used"], "listing values is no use of them"
    clock.now += 59
    assert [has(store, token) for token in (used, unused)] == [False, False]
    assert len(store) == 0


def test_without_limits_everything_stays() -> None:
    clock = Clock()
    store = SessionStore[str](GONE, Limits(), clock=clock)
    for number in range(100):
        store.put(str(number), "page")
    clock.now += 1e9
    assert len(store.of("page")) == 100


def test_threads_share_a_store(eager_threads: None) -> None:
    clock = Clock()
    store = SessionStore[str](GONE, Limits(count=40, per_session=8, size=35, seconds=100), size=len, clock=clock)

    def use(number: int) -> None:
        session = f"page {number % 9}"
        token = store.put("x", session)
        has(store, token)
        store.of(session)
        clock.now += 0.01
        if number % 3 == 0:
            store.drop(token)
        if number % 50 == 0:
            store.close(session)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(use, range(3000)))
    assert len(store) <= 35
    assert all(len(store.of(f"page {number}")) <= 8 for number in range(9))


# A closed page


def test_closing_a_session_forgets_what_it_had_in_every_store() -> None:
    first, second = new_store(), new_store()
    gone = [store.put("value", "page") for store in (first, second)]
    stays = [store.put("value", "another page") for store in (first, second)]
    sessions.on_close(gr.Request(session_hash="page"))
    assert [has(store, token) for store, token in zip((first, second), gone, strict=True)] == [False, False]
    assert [has(store, token) for store, token in zip((first, second), stays, strict=True)] == [True, True]
    sessions.close("a page that had nothing")


def test_closers_run_before_the_stores_and_one_that_fails_stops_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sessions, "_CLOSERS", [])
    store, seen = new_store(), list[tuple[str, list[str]]]()
    store.put("value", "page")

    @sessions.register_closer
    def fail(session: str) -> None:
        raise ValueError("a reason")

    @sessions.register_closer
    def look(session: str) -> None:
        seen.append((session, values(store)))

    with caplog.at_level(logging.ERROR, logger="explorer"):
        sessions.close("page")
    assert seen == [("page", ["value"])]
    assert values(store) == []
    assert "a reason" in caplog.text
