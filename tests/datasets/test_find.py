"""Data is what was named, else in the folder of the variable, else in the cache folder; nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from explorer.datasets import CIFAR10, CIFAR10_TENTH, DIGITS, IMAGENET200, find_data, find_local_data, find_photos
from explorer.datasets.cifar10 import TORCHVISION_FOLDER
from explorer.datasets.find import DATA_VARIABLE
from explorer.errors import DataError
from explorer.folders import CACHE_VARIABLE


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder, and no folder of data."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    return tmp_path / "cache"


def test_what_is_named_must_exist(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "named"))
    with pytest.raises(DataError, match=r"^data: '.*named' does not exist, expected a folder or archive of CIFAR-10"):
        find_data(CIFAR10)
    with pytest.raises(DataError, match=r"^data: '.*given'"):
        find_data(CIFAR10, tmp_path / "given")


def test_what_is_given_comes_first(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "named" / "cifar10" / "train").mkdir(parents=True)
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "named"))
    given = tmp_path / "given.tar"
    given.write_text("")
    assert find_data(CIFAR10, given) == given
    (tmp_path / "empty").mkdir()
    assert find_data(CIFAR10, tmp_path / "empty") == tmp_path / "empty"


def test_a_folder_may_hold_several_data_sets(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / CIFAR10.archive).write_text("")
    (tmp_path / "imagenet200").mkdir()
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    for given in (None, tmp_path):
        assert find_data(CIFAR10, given) == find_data(CIFAR10_TENTH, given) == tmp_path / CIFAR10.archive
        assert find_data(IMAGENET200, given) == tmp_path / "imagenet200"


@pytest.mark.parametrize("inside", ["train", "test", TORCHVISION_FOLDER])
def test_a_folder_may_be_the_data_set_itself(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: str
) -> None:
    (tmp_path / "named" / inside).mkdir(parents=True)
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "named"))
    assert find_data(CIFAR10) == tmp_path / "named"


def test_the_cache_folder_comes_last(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_data(CIFAR10) == cache / "cifar10"  # torchvision downloads there
    assert find_data(CIFAR10_TENTH) == cache / "cifar10"
    (tmp_path / "named").mkdir()
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "named"))
    assert find_data(CIFAR10) == cache / "cifar10"
    cache.mkdir()
    (cache / CIFAR10.archive).write_text("")
    assert find_data(CIFAR10) == cache / CIFAR10.archive


def test_no_folder_beside_the_project_is_searched(cache: Path) -> None:
    found = (find_data(CIFAR10), find_data(IMAGENET200))
    assert all(cache in path.parents for path in found)
    assert find_local_data(CIFAR10) is None
    assert find_photos() is None


def test_digits_come_with_scikit_learn(cache: Path, tmp_path: Path) -> None:
    assert find_data(DIGITS) == find_data(DIGITS, tmp_path) == find_local_data(DIGITS) == Path()


def test_local_data_needs_no_download(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "nowhere"))
    assert find_local_data(CIFAR10) is None
    (cache / "cifar10" / TORCHVISION_FOLDER).mkdir(parents=True)
    monkeypatch.delenv(DATA_VARIABLE)
    assert find_local_data(CIFAR10) is None
    (cache / "cifar10" / "test").mkdir()
    assert find_local_data(CIFAR10) == cache / "cifar10"


def test_photos_are_in_a_folder_of_their_own(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given, named = tmp_path / "given" / "photos", tmp_path / "named" / "photos"
    named.mkdir(parents=True)
    monkeypatch.setenv(DATA_VARIABLE, str(named.parent))
    assert find_photos() == find_photos(given.parent) == named
    given.mkdir(parents=True)
    assert find_photos(given.parent) == given
