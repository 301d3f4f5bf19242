"""What `enlarger` exports, and that nothing happens by importing it."""

from __future__ import annotations

import inspect

import pytest

import enlarger
from enlarger import errors


@pytest.mark.parametrize("name", enlarger.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(enlarger, name) is not None


def test_the_list_is_sorted_and_unknown_names_say_so() -> None:
    assert enlarger.__all__ == sorted(enlarger.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = enlarger.nothing


ERRORS = [
    cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, errors.EnlargerError)
]


@pytest.mark.parametrize("cls", ERRORS)
def test_an_error_explains_itself_and_survives_a_process_border(cls: type[errors.EnlargerError]) -> None:
    assert str(cls()) == inspect.cleandoc(cls.__doc__ or "")
    assert cls.__name__ in (errors.__doc__ or "")
    again = errors.by_code(cls.code, "a message", "a_field")
    assert (type(again), again.message, again.param) == (cls, "a message", "a_field")


WAITING_TOO = (errors.StillRunning, errors.StorageFull, errors.NotDone)


@pytest.mark.parametrize("cls", ERRORS)
def test_an_error_that_waiting_mends_says_how_long(cls: type[errors.EnlargerError]) -> None:
    is_mended_by_waiting = cls.status in (429, 503) or cls in WAITING_TOO
    assert is_mended_by_waiting == (cls().retry_after_s is not None)
    assert errors.by_code(cls.code, "a message").retry_after_s == cls.retry_after_s
    assert cls(retry_after_s=7).retry_after_s == 7


def test_codes_are_unique_and_an_unknown_one_is_still_an_error() -> None:
    assert len({cls.code for cls in ERRORS}) == len(ERRORS)
    assert type(errors.by_code("from_a_newer_version", "what happened")) is errors.EnlargerError
