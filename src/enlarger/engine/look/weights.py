"""The weights that people write into prompts: `(word:0.7)`, `word++`, `word--`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

STEP = 1.1
"""One `+` multiplies by it, one `-` divides: the factor that the prompt languages with these marks use."""
WEIGHT_MAX = 2.0
PHRASES_MAX = 64
"""More is not read: 64 phrases are already a third of a second of embedding."""

_NUMBER = re.compile(r":\s*(\d+(?:\.\d+)?|\.\d+)\s*$")
_MARKS = re.compile(r"(\+++|-{2,}+)(?=$|[\s,.;)])")
_APART = re.compile(r"[\s,;()]")
_BREAK = re.compile(r"[,;\n|]+|[.!?]+(?=\s|$)")


@dataclass(frozen=True)
class Phrase:
    """A part of a prompt between commas, full stops and weights."""

    text: str
    weight: float = 1.0
    """0 (as if it were not there) to WEIGHT_MAX; 1 is as written without a weight."""


def parse_weights(prompt: str) -> tuple[Phrase, ...]:
    """The phrases of a prompt, in order; at most PHRASES_MAX. Anything is a prompt: nothing is raised.

    `(text:0.7)` weighs all of `text`; `word++` and `(some words)++` weigh by 1.1 for every mark, and
    `word--` by its inverse; one `-` is a hyphen. Parentheses without a weight, also within a weighted
    text, an escaped one and one that is never closed are letters like others.
    """
    phrases: list[Phrase] = []
    for text, weight in _weighted(prompt):
        for part in _BREAK.split(text):
            plain = " ".join(part.replace("\\(", "(").replace("\\)", ")").split())
            if any(letter.isalnum() for letter in plain):
                phrases.append(Phrase(plain, min(weight, WEIGHT_MAX)))
    return tuple(phrases[:PHRASES_MAX])


def _weighted(prompt: str) -> Iterator[tuple[str, float]]:
    """Runs of equal weight."""
    closing = _closings(prompt)
    plain = ""
    at = 0
    while at < len(prompt):
        if prompt[at] == "\\" and prompt[at + 1 : at + 2] in ("(", ")"):
            plain, at = plain + prompt[at : at + 2], at + 2
            continue
        if prompt[at] == "(" and (end := closing.get(at)) is not None:
            inside = prompt[at + 1 : end]
            marks = _MARKS.match(prompt, end + 1)
            if number := _NUMBER.search(inside):
                yield plain, 1.0
                yield inside[: number.start()], float(number[1])
                plain, at = "", end + 1
                continue
            if marks:
                yield plain, 1.0
                yield inside, _factor(marks[1])
                plain, at = "", marks.end()
                continue
        if prompt[at] in "+-" and (marks := _MARKS.match(prompt, at)):
            start = _last_word(plain)
            yield plain[:start], 1.0
            yield plain[start:], _factor(marks[1])
            plain, at = "", marks.end()
            continue
        plain, at = plain + prompt[at], at + 1
    yield plain, 1.0


def _closings(prompt: str) -> dict[int, int]:
    """Where each parenthesis that is closed is closed; in one pass, for prompts are strangers' text."""
    closings: dict[int, int] = {}
    open_at: list[int] = []
    at = 0
    while at < len(prompt):
        if prompt[at] == "\\":
            at += 1
        elif prompt[at] == "(":
            open_at.append(at)
        elif prompt[at] == ")" and open_at:
            closings[open_at.pop()] = at
        at += 1
    return closings


def _last_word(text: str) -> int:
    """Where the word at the end of `text` begins; its length if there is none."""
    start = len(text)
    while start and not _APART.match(text, start - 1):
        start -= 1
    return start


def _factor(marks: str) -> float:
    # Beyond twenty the clamp or nothing is reached, and a number of ten thousand marks overflows.
    return float(STEP ** (min(len(marks), 20) * (1 if marks[0] == "+" else -1)))
