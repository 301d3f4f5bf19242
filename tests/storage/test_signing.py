"""Signed links: pure, with the clock in the test's hand."""

from __future__ import annotations

import stat
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enlarger.errors import BadParameter, LinkRefused, NotReady
from enlarger.storage import Links
from enlarger.storage.signing import (
    LinkKey,
    content_disposition,
    safe_file_name,
    sign,
    verify,
)

KEY = "ws/a/results/b.png"
SECRET = LinkKey("17", b"s" * 32)
NOW_S = 1_800_000_000
WEEK_S = 604_800


def query_of(url: str) -> bytes:
    return urlsplit(url).query.encode()


def changed(url: str, **values: str) -> bytes:
    said = dict(parse_qsl(query_of(url).decode()))
    assert said.keys() >= values.keys()
    return urlencode({**said, **values}).encode()


@pytest.fixture
def url() -> str:
    return sign(KEY, expires_s=NOW_S + 60, file_name="Tür.png", content_type="image/png", link_key=SECRET)


def test_a_link_opens_for_get_and_head_and_says_what_was_signed(url: str) -> None:
    assert url.startswith(f"/files/{KEY}?e=1800000060&k=17&")
    for method in ("GET", "HEAD"):
        link = verify(method, KEY, query_of(url), [SECRET], NOW_S)
        assert (link.file_name, link.content_type, link.remaining_s) == ("Tür.png", "image/png", 60)


def test_a_link_for_writing_opens_nothing_for_reading_and_the_other_way_round(url: str) -> None:
    said = {"expires_s": NOW_S + 60, "file_name": "1", "content_type": "image/png", "link_key": SECRET}
    writing = sign(KEY, method="PUT", **said)  # type: ignore[arg-type]
    assert verify("PUT", KEY, query_of(writing), [SECRET], NOW_S).remaining_s == 60
    for method in ("GET", "HEAD", "POST", "put"):
        with pytest.raises(LinkRefused):
            verify(method, KEY, query_of(writing), [SECRET], NOW_S)
    with pytest.raises(LinkRefused):
        verify("PUT", KEY, query_of(url), [SECRET], NOW_S)


@pytest.mark.parametrize(
    ("method", "key", "values"),
    [
        ("PUT", KEY, {}),
        ("DELETE", KEY, {}),
        ("POST", KEY, {}),
        ("get", KEY, {}),
        ("GET", "ws/a/results/c.png", {}),
        ("GET", "ws/b/results/b.png", {}),
        ("GET", KEY + "\n", {}),
        ("GET", "\udcff", {}),
        ("GET", KEY, {"e": str(NOW_S + 61)}),
        ("GET", KEY, {"e": f"+{NOW_S + 60}"}),
        ("GET", KEY, {"e": f"0{NOW_S + 60}"}),
        ("GET", KEY, {"e": "never"}),
        ("GET", KEY, {"k": "18"}),
        ("GET", KEY, {"k": ""}),
        ("GET", KEY, {"k": "../17"}),
        ("GET", KEY, {"n": "virus.exe"}),
        ("GET", KEY, {"t": "text/html"}),
        ("GET", KEY, {"s": ""}),
        ("GET", KEY, {"s": "A" * 43}),
        ("GET", KEY, {"s": "ä" * 43}),
        # What is signed is one text: a value must not reach into the next.
        ("GET", f"{KEY}\n{NOW_S + 60}", {"e": "Tür.png"}),
        ("GET", KEY, {"n": "Tür.png\nimage/png", "t": ""}),
    ],
)
def test_whatever_is_changed_the_link_is_refused(
    url: str, method: str, key: str, values: dict[str, str]
) -> None:
    other = LinkKey("18", b"t" * 32)
    with pytest.raises(LinkRefused):
        verify(method, key, changed(url, **values), [SECRET, other], NOW_S)


@pytest.mark.parametrize("letter", range(43))
def test_every_letter_of_the_signature_counts(url: str, letter: int) -> None:
    signature = dict(parse_qsl(query_of(url).decode()))["s"]
    assert len(signature) == 43
    other = "A" if signature[letter] != "A" else "E"
    forged = signature[:letter] + other + signature[letter + 1 :]
    with pytest.raises(LinkRefused):
        verify("GET", KEY, changed(url, s=forged), [SECRET], NOW_S)


@pytest.mark.parametrize(
    "query", [b"", b"e", b"&&&&", b"\xff", b"e=1&k=17", b"e=1&k=17&n=n&t=t&s=s&e=2", b"a=1" * 10_000]
)
def test_what_is_no_link_is_refused(query: bytes) -> None:
    with pytest.raises(LinkRefused):
        verify("GET", KEY, query, [SECRET], NOW_S)


def test_a_value_given_twice_or_one_more_is_refused(url: str) -> None:
    for more in (b"&e=1800009999", b"&x=1", b"&t=image%2Fpng"):
        with pytest.raises(LinkRefused):
            verify("GET", KEY, query_of(url) + more, [SECRET], NOW_S)


@pytest.mark.parametrize(
    ("now_s", "is_alive"), [(NOW_S + 59, True), (NOW_S + 59.999, True), (NOW_S + 60, False)]
)
def test_a_link_expires_at_its_second(url: str, now_s: float, is_alive: bool) -> None:
    if is_alive:
        assert verify("GET", KEY, query_of(url), [SECRET], now_s).remaining_s == 1
    else:
        with pytest.raises(LinkRefused):
            verify("GET", KEY, query_of(url), [SECRET], now_s)


class Clock:
    now_s = float(NOW_S)

    def __call__(self) -> float:
        return self.now_s


def made(links: Links, lifetime_s: int = WEEK_S) -> bytes:
    url = links.make(KEY, expires_in_s=lifetime_s, file_name="b.png", content_type="image/png", base_url="")
    return query_of(url)


def test_a_rotation_breaks_no_link_that_lives(tmp_path: Path) -> None:
    clock = Clock()
    links = Links(tmp_path / "keys", clock=clock)
    before = made(links)
    clock.now_s += 1
    key_id = links.rotate()
    after = made(links)
    assert f"k={key_id}".encode() in after
    assert f"k={key_id}".encode() not in before
    # A third secret would break the first one's links, so it is refused as long as they live.
    clock.now_s += WEEK_S - 2
    with pytest.raises(BadParameter, match=r"live until 2027-01-22T08:01\+00:00"):
        links.rotate()
    for link in (before, after):
        assert links.verify("GET", KEY, link).file_name == "b.png"
    clock.now_s += 120
    latest = made(links)
    links.rotate()
    assert len(list((tmp_path / "keys").iterdir())) == 2
    assert links.verify("GET", KEY, latest)
    with pytest.raises(LinkRefused):
        links.verify("GET", KEY, before)


def test_after_a_leak_every_link_can_be_ended(tmp_path: Path) -> None:
    links = Links(tmp_path / "keys", clock=Clock())
    first = made(links)
    links.rotate()
    second = made(links)
    links.rotate(keep="nothing")
    for link in (first, second):
        with pytest.raises(LinkRefused):
            links.verify("GET", KEY, link)
    assert links.verify("GET", KEY, made(links))


def test_rotations_within_a_second_and_of_a_clock_set_back_have_ids_of_their_own(tmp_path: Path) -> None:
    clock = Clock()
    links = Links(tmp_path / "keys", clock=clock)
    ids = [links.rotate(), links.rotate()]
    clock.now_s -= 1000
    ids.append(links.rotate(keep="nothing"))
    assert ids == [str(NOW_S), str(NOW_S + 1), str(NOW_S + 2)]


def test_two_processes_believe_each_other_and_secrets_are_their_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "secrets" / "keys"
    first, second = Links(folder), Links(folder)
    assert second.verify("GET", KEY, made(first)).file_name == "b.png"
    [secret] = folder.iterdir()
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    with pytest.raises(LinkRefused):
        Links(tmp_path / "other").verify("GET", KEY, made(first))


def test_a_damaged_secret_is_named(tmp_path: Path) -> None:
    links = Links(tmp_path / "keys", clock=Clock())
    link = made(links)
    (tmp_path / "keys" / str(NOW_S)).write_text("too short")
    with pytest.raises(NotReady, match=f"{NOW_S} is damaged; put its backup there"):
        links.verify("GET", KEY, link)


@pytest.mark.parametrize(
    ("public_url", "base_url", "start"),
    [
        (None, "", "/files/"),
        (None, "http://127.0.0.1:8000/", "http://127.0.0.1:8000/files/"),
        ("https://x.org/up", "http://127.0.0.1", "https://x.org/up/files/"),
    ],
)
def test_a_link_begins_where_the_client_is(
    tmp_path: Path, public_url: str | None, base_url: str, start: str
) -> None:
    links = Links(tmp_path, public_url=public_url)
    url = links.make(KEY, expires_in_s=60, file_name="b.png", content_type="image/png", base_url=base_url)
    assert url.startswith(start + KEY + "?")


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("photo.png", "photo.png"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("C:\\boot.ini", "C__boot.ini"),
        ('a"; filename="b.exe', "a__ filename=_b.exe"),
        ("a\r\nSet-Cookie: x=1.png", "aSet-Cookie_ x=1.png"),
        ("\u202egnp.exe", "gnp.exe"),
        (".htaccess", "htaccess"),
        ("   ", "download"),
        ("", "download"),
        ("x" * 300 + ".png", "x" * 196 + ".png"),
        ("日本.png", "日本.png"),
    ],
)
def test_a_file_name_is_made_safe(name: str, safe: str) -> None:
    assert safe_file_name(name) == safe


@given(st.text())
def test_no_name_breaks_out_of_its_header(name: str) -> None:
    safe = safe_file_name(name)
    assert safe == safe.strip(".")
    assert 0 < len(safe.encode()) <= 200
    header = content_disposition(name)
    header.encode("ascii")
    assert header.startswith('attachment; filename="')
    assert header.count('"') == 2
    assert not set(header) & set("\r\n\\/")


def test_names_beyond_ascii_are_given_twice() -> None:
    expected = "attachment; filename=\"T_r.png\"; filename*=UTF-8''T%C3%BCr.png"
    assert content_disposition("Tür.png") == expected
