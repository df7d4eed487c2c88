"""How a shape reads."""

from explorer.spec import shapes


def test_sides_are_joined_by_the_multiplication_sign() -> None:
    assert shapes.text((64, 56, 56)) == "64×56×56"
    assert shapes.text([10]) == "10"


def test_a_shape_without_sides_reads_as_the_caller_says() -> None:
    assert shapes.text(()) == "a scalar"
    assert shapes.text((), empty="one number") == "one number"
    assert shapes.text((), empty="") == ""
