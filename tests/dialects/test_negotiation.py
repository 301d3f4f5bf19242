"""JSON or bytes, and the key in the header: as the vendor's clients really send them."""

from __future__ import annotations

import pytest

from enlarger.dialects.stability.fields import read_secret, wants_json
from enlarger.errors import BadKey


@pytest.mark.parametrize(
    ("accept", "is_json"),
    [
        (None, False),
        ("", False),
        ("*/*", False),
        ("image/*", False),
        ("image/png", False),
        ("application/json", True),
        ("application/json; type=image/png", True),
        ("application/json, text/plain, */*", True),
        ("APPLICATION/JSON", True),
        ("image/*, application/json", False),
        ("image/*;q=0.5, application/json", True),
        ("application/json;q=0.1, image/png", False),
        ("application/json;q=oops, image/png", False),
        ("text/html", False),
        (",,;;", False),
        ("application/json;q=0", False),
        ("application/json;q=nan", False),
        ("application/json;q=0, */*", False),
    ],
)
def test_the_best_ranked_type_decides(accept: str | None, is_json: bool) -> None:
    assert wants_json(accept) is is_json


@pytest.mark.parametrize("value", ["Bearer sk-1", "bearer sk-1", "BEARER  sk-1 ", "sk-1", " sk-1 "])
def test_the_key_comes_with_or_without_bearer(value: str) -> None:
    assert read_secret({"authorization": value}) == "sk-1"


@pytest.mark.parametrize(
    "headers", [{}, {"authorization": ""}, {"authorization": "Bearer "}, {"authorization": "bearer"}]
)
def test_no_key_is_an_error(headers: dict[str, str]) -> None:
    with pytest.raises(BadKey):
        read_secret(headers)
