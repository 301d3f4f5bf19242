"""Weights in prompts: what is one, and what is only punctuation."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enlarger.engine.look.weights import PHRASES_MAX, WEIGHT_MAX, parse_weights


@pytest.mark.parametrize(
    ("prompt", "phrases"),
    [
        ("", []),
        (" , ;. ", []),
        ("a cat, sharp", [("a cat", 1), ("sharp", 1)]),
        ("(word:0.7)", [("word", 0.7)]),
        ("(two words : .5 )", [("two words", 0.5)]),
        ("(a, b:0.5), c", [("a", 0.5), ("b", 0.5), ("c", 1)]),
        ("a (big:1.5) cat", [("a", 1), ("big", 1.5), ("cat", 1)]),
        ("word++", [("word", 1.21)]),
        ("word--", [("word", 1 / 1.21)]),
        ("a vivid+ sky", [("a", 1), ("vivid", 1.1), ("sky", 1)]),
        ("(old film)++, x", [("old film", 1.21), ("x", 1)]),
        ("(plain)", [("(plain)", 1)]),
        ("a (b (c) d:0.5)", [("a", 1), ("b (c) d", 0.5)]),
        ("((nested:0.5))", [("nested", 0.5)]),
        ("a \\(b:0.5\\)", [("a (b:0.5)", 1)]),
        ("(never closed:0.5", [("(never closed:0.5", 1)]),
        ("closed:0.5)", [("closed:0.5)", 1)]),
        ("well-known sky--blue - dash", [("well-known sky--blue - dash", 1)]),
        ("f/1.8, 8k", [("f/1.8", 1), ("8k", 1)]),
        ("(word:0)", [("word", 0)]),
        ("(word:99)", [("word", WEIGHT_MAX)]),
        ("word" + "+" * 9000, [("word", WEIGHT_MAX)]),
    ],
)
def test_phrases(prompt: str, phrases: list[tuple[str, float]]) -> None:
    parsed = parse_weights(prompt)
    assert [phrase.text for phrase in parsed] == [text for text, _ in phrases]
    assert [phrase.weight for phrase in parsed] == pytest.approx([weight for _, weight in phrases])


@given(st.text(alphabet="ab ()\\:.,+-059", max_size=60))
def test_anything_is_a_prompt_and_no_letter_is_lost(prompt: str) -> None:
    phrases = parse_weights(prompt)
    assert all(0 <= phrase.weight <= WEIGHT_MAX for phrase in phrases)
    assert len(phrases) <= PHRASES_MAX
    letters = [letter for phrase in phrases for letter in phrase.text if letter in "ab"]
    assert letters == [letter for letter in prompt if letter in "ab"]


@pytest.mark.parametrize(
    "prompt", ["(" * 10_000, "(a" * 5_000 + ")" * 5_000, "+" * 9_999 + "x", "a+ " * 3_333]
)
def test_hostile_prompts_take_no_time(prompt: str) -> None:
    start = time.perf_counter()
    parse_weights(prompt)
    assert time.perf_counter() - start < 1.0
