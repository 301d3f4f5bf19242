"""The rate rule with a clock of the test: exact in any span, a penalty, and free again after it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enlarger.limits.rule import Rule, Verdict, Window, expiry_ms, judge

VENDOR = Rule(150, 10, 60)
START_MS = 1_800_000_000_000


class Subject:
    """One subject, asked at times that the test says."""

    def __init__(self, rule: Rule = VENDOR) -> None:
        self.rule = rule
        self.window = Window()

    def at(self, ms: int) -> Verdict:
        self.window, verdict = judge(self.window, START_MS + ms, self.rule)
        return verdict


@pytest.mark.parametrize("spacing_ms", [0, 1, 66])
def test_request_151_is_refused_and_so_are_the_next_60_seconds(spacing_ms: int) -> None:
    subject = Subject()
    assert all(subject.at(number * spacing_ms).is_allowed for number in range(150))
    exceeded_ms = 150 * spacing_ms
    assert subject.at(exceeded_ms) == Verdict(is_allowed=False, retry_after_s=60)
    for after_ms in (0, 1, 9_999, 30_000, 59_999):
        assert not subject.at(exceeded_ms + after_ms).is_allowed
    assert subject.at(exceeded_ms + 59_001).retry_after_s == 1
    assert subject.at(exceeded_ms + 60_000).is_allowed


def test_who_keeps_on_asking_is_served_when_the_penalty_is_over() -> None:
    subject = Subject()
    for _ in range(150):
        subject.at(0)
    assert not any(subject.at(ms).is_allowed for ms in range(0, 60_000, 100))
    assert all(subject.at(60_000).is_allowed for _ in range(150))
    assert not subject.at(60_000).is_allowed


def test_the_window_moves_and_does_not_begin_anew() -> None:
    """A fixed window would take 150 just before a border and 150 just after it."""
    subject = Subject()
    assert all(subject.at(9_990).is_allowed for _ in range(150))
    assert not subject.at(10_010).is_allowed


def test_150_in_every_10_seconds_may_go_on_for_ever() -> None:
    subject = Subject()
    assert all(subject.at(10_000 * number // 150).is_allowed for number in range(3_000))


def test_without_a_penalty_only_the_excess_is_refused() -> None:
    subject = Subject(Rule(2, 10, 0))
    assert [subject.at(ms).is_allowed for ms in (0, 4_000, 5_000)] == [True, True, False]
    assert subject.at(5_001).retry_after_s == 5
    assert [subject.at(ms).is_allowed for ms in (10_000, 10_001)] == [True, False]


def test_a_penalty_shorter_than_the_window_tells_when_there_is_room() -> None:
    subject = Subject(Rule(1, 60, 5))
    subject.at(0)
    assert subject.at(1_000).retry_after_s == 59
    assert not subject.at(59_999).is_allowed
    assert subject.at(60_000).is_allowed


@pytest.mark.parametrize("back_s", [1, 3_600])
def test_a_clock_that_is_set_back_shuts_nobody_out_for_long(back_s: int) -> None:
    subject = Subject()
    for _ in range(151):
        subject.at(0)
    back_ms = -1000 * back_s
    assert 1 <= subject.at(back_ms).retry_after_s <= 60
    assert not subject.at(back_ms + 58_999).is_allowed
    assert subject.at(back_ms + 61_000).is_allowed


def test_a_lower_limit_holds_at_once() -> None:
    subject = Subject(Rule(100, 10, 0))
    for ms in range(100):
        subject.at(ms)
    subject.rule = Rule(2, 10, 0)
    assert subject.at(5_000).retry_after_s == 6
    assert subject.at(10_099).is_allowed


RULES = st.builds(Rule, st.integers(1, 6), st.integers(1, 4), st.integers(0, 6))
STEPS_MS = st.lists(st.sampled_from([0, 1, 250, 499, 500, 999, 1000, 1001, 4000]) | st.integers(0, 9000))


@given(RULES, STEPS_MS)
def test_no_span_ever_holds_more_than_the_rule_allows(rule: Rule, steps_ms: list[int]) -> None:
    subject = Subject(rule)
    now_ms = 0
    accepted: list[int] = []
    for step_ms in steps_ms:
        now_ms += step_ms
        verdict = subject.at(now_ms)
        if verdict.is_allowed:
            accepted.append(now_ms)
        # Of all spans, the fullest are among those that end at a request.
        assert sum(now_ms - 1000 * rule.window_s < hit for hit in accepted) <= rule.count
        assert len(subject.window.hits_ms) <= rule.count
        assert verdict.is_allowed == (verdict.retry_after_s == 0)


@given(RULES, STEPS_MS)
def test_retry_after_is_kept_and_no_longer_than_need_be(rule: Rule, steps_ms: list[int]) -> None:
    subject = Subject(rule)
    now_ms = 0
    for step_ms in steps_ms:
        now_ms += step_ms
        verdict = subject.at(now_ms)
        if not verdict.is_allowed:
            assert 1 <= verdict.retry_after_s <= max(rule.window_s, rule.penalty_s)
            window, later_ms = subject.window, START_MS + now_ms + 1000 * verdict.retry_after_s
            assert judge(window, later_ms, rule)[1].is_allowed
            assert not judge(window, later_ms - 1000, rule)[1].is_allowed


@given(RULES, STEPS_MS)
def test_an_expired_window_says_what_an_empty_one_does(rule: Rule, steps_ms: list[int]) -> None:
    subject = Subject(rule)
    now_ms = 0
    for step_ms in steps_ms:
        now_ms += step_ms
        subject.at(now_ms)
    fresh, _ = judge(Window(), START_MS + now_ms + 1, rule)
    gone_ms = expiry_ms(subject.window, rule)
    window, verdict = judge(subject.window, max(gone_ms, START_MS + now_ms + 1), rule)
    assert verdict.is_allowed
    assert len(window.hits_ms) == len(fresh.hits_ms)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("150/10s", Rule(150, 10, 60)),
        ("1/1s", Rule(1, 1, 60)),
        ("10000/5m", Rule(10_000, 300, 60)),
        ("9000/24h", Rule(9_000, 86_400, 60)),
        ("off", None),
    ],
)
def test_a_rule_in_words(text: str, rule: Rule | None) -> None:
    assert Rule.parse(text, 60) == rule


@pytest.mark.parametrize(
    "text",
    ["", "150", "150/10", "150/s", "0/10s", "1/0s", "-1/10s", "1.5/10s", "10001/1s", "150/10s ", "on"],
)
def test_what_is_no_rule(text: str) -> None:
    with pytest.raises(ValueError, match="must"):
        Rule.parse(text, 60)
