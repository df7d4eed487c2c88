"""A photo is upright for every EXIF orientation and format."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageOps

from explorer.inference.images.decode import decode
from explorer.inference.images.formats import contents
from tests.support import hostile_images as make
from tests.support.photo_files import distance, oriented, pixels

# How a file of each orientation stores an upright picture, by the EXIF standard's definition of the tag.
STORED = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, 1),
    7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
    8: lambda a: np.rot90(a, -1),
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WebP"])
def test_every_orientation_gives_the_same_upright_photo(name, orientation):
    upright = make.scene()
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](np.asarray(upright))))
    for order in "<>":
        data = oriented(name, stored, make.exif(orientation, order))
        photo = decode(data)
        assert photo.original_size == stored.size
        assert photo.image.size == upright.size
        assert distance(photo, upright) < (2 if name == "JPEG" else 0.01)
    pillow = ImageOps.exif_transpose(Image.open(BytesIO(data)))
    assert distance(photo, pillow) < 0.01


@pytest.mark.parametrize("orientation", [0, 9, 65_535])
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WebP"])
def test_invalid_orientations_are_ignored(name, orientation):
    photo = decode(oriented(name, make.scene(), make.exif(orientation)))
    assert distance(photo, make.scene()) < 2
    assert photo.notes == ()


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"II",
        b"MM\0*",
        b"MM\0*\xff\xff\xff\xff",
        b"MM\0*\0\0\0\x08\xff\xff",
        b"MM\0*\0\0\0\x08\0\1\1\x12\0\2\0\0\0\1\0\6\0\0",
        b"XX\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0",
    ],
)
def test_broken_exif_is_upright(block):
    assert contents.exif_orientation(block) == 1


def test_orientations_are_one_to_eight():
    read = [contents.exif_orientation(make.exif(value)) for value in (*range(11), 65_535)]
    assert read == [1, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1, 1]
    assert contents.exif_orientation(b"Exif\0\0" + make.exif(6)) == 6


@pytest.mark.parametrize("orientation", STORED)
def test_avif_states_its_turns_itself(orientation):
    """Pillow writes the orientation as AVIF's own properties; EXIF beside them does not count."""
    upright = make.scene()
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](np.asarray(upright))))
    tags = Image.Exif()
    tags[0x0112] = orientation
    tags[0x010F] = "Ace"
    photo = decode(make.encode(stored, "AVIF", exif=tags, quality=95))
    assert photo.image.size == upright.size
    assert distance(photo, upright) < 3


def test_heic_states_its_turns_itself():
    """Phones write the turn twice, as a property and as EXIF; only the first counts."""
    image = make.scene()
    tags = Image.Exif()
    tags[0x0112] = 6
    image.info["exif"] = tags.tobytes()
    data = bytearray(make.encode(image, "HEIC", quality=95))
    angle = data.index(b"irot") + 4
    unturned = None
    for quarters in range(4):
        data[angle] = quarters
        seen = pixels(decode(bytes(data)))
        unturned = seen if unturned is None else unturned
        assert np.array_equal(seen, np.rot90(unturned, quarters))
