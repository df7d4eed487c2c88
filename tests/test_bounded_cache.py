"""What a cache keeps within its bound, and what goes first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from explorer.bounded_cache import BoundedCache


def test_what_was_used_last_stays_within_a_number_of_bytes() -> None:
    cache: BoundedCache[str, bytes] = BoundedCache(100, len)
    for name, size in (("a", 40), ("b", 30), ("c", 30)):
        cache.put(name, bytes(size))
    assert cache.size == 100
    assert cache.get("a") == bytes(40)  # b is now the one used longest ago
    cache.put("d", bytes(1))
    assert [name for name in "abcd" if cache.get(name) is not None] == ["a", "c", "d"]
    cache.put("c", bytes(70))  # in its place, and at the cost of a
    assert [name for name in "abcd" if cache.get(name) is not None] == ["c", "d"]


def test_one_value_larger_than_the_limit_stays_alone() -> None:
    cache: BoundedCache[str, bytes] = BoundedCache(100, len)
    cache.put("a", bytes(10))
    cache.put("b", bytes(1000))
    assert (cache.get("a"), cache.size) == (None, 1000)


def test_without_sizes_the_limit_is_a_number_of_values() -> None:
    cache: BoundedCache[str, str] = BoundedCache(2)
    for name in "abc":
        cache.put(name, name * 100)
    assert [cache.get(name) for name in "abc"] == [None, "b" * 100, "c" * 100]
    cache.forget("b")
    cache.forget("never there")
    assert (cache.get("b"), cache.size) == (None, 1)


def test_threads_share_it() -> None:
    cache: BoundedCache[int, int] = BoundedCache(10)

    def use(number: int) -> None:
        cache.put(number % 25, number)
        cache.get(number % 7)
        cache.forget(number % 11)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(use, range(5000)))
    assert cache.size <= 10
