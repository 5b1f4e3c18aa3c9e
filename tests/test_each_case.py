import pytest

from tests.each_case import each_case


@pytest.fixture
def limit() -> int:
    return 3


@each_case("number", range(3))
def test_each_case_is_tried_with_the_other_fixtures(limit: int, number: int) -> None:
    assert number < limit


def test_every_case_that_fails_is_named() -> None:
    @each_case("number", range(4))
    def is_even(number: int) -> None:
        assert number % 2 == 0

    with pytest.raises(ExceptionGroup) as failed:
        is_even()

    assert [error.__notes__ for error in failed.value.exceptions] == [["The number was: 1"], ["The number was: 3"]]
    assert "2 of 4" in str(failed.value)


@each_case("number, square", [(1, 1), (3, 9)])
def test_a_case_may_be_of_several_arguments(number: int, square: int) -> None:
    assert number**2 == square
