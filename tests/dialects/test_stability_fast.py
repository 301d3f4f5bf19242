"""POST /v2beta/stable-image/upscale/fast against a running server, as the vendor's clients call it."""

from __future__ import annotations

import base64
import io
import json
import socket
import time
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.support.photos import crop, encoded, large_profile, psnr, scaled
from tests.support.running import SECRET, RunningServer, wait_for

PATH = "/v2beta/stable-image/upscale/fast"
SMALL = encoded(crop("coffee", 48, 40))
MEBIBYTE = 2**20


def post(server: RunningServer, files: Any = None, path: str = PATH, **options: Any) -> httpx.Response:
    with server.client() as client:
        return client.post(path, files=files, **options)


def opened(data: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


def assert_error(response: httpx.Response, status: int, name: str, text: str) -> None:
    """The one shape of a v2beta error, whatever the cause."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert body.keys() == {"id", "name", "errors", "message"}
    assert len(body["id"]) == 32
    assert body["name"] == name
    assert body["errors"] == [body["message"]]
    assert text in body["message"]
    assert len(response.headers["x-request-id"]) == 32


def test_a_photo_comes_back_four_times_larger(server: RunningServer, astronaut: NDArray[np.uint8]) -> None:
    response = post(server, {"image": ("photo.png", encoded(astronaut), "image/png")})
    assert response.status_code == 200
    assert response.headers["content-type"] == "image/png"
    assert response.headers["finish-reason"] == "SUCCESS"
    assert 0 < int(response.headers["seed"]) <= 4_294_967_294
    assert len(response.headers["x-request-id"]) == 32
    pixels = opened(response.content)
    assert pixels.shape == (2048, 2048, 3)
    shrunk = np.asarray(Image.fromarray(pixels).resize((512, 512), Image.Resampling.BOX))
    assert psnr(shrunk, astronaut) > 35


@pytest.mark.parametrize("output_format", ["png", "jpeg", "webp"])
def test_the_wanted_format_is_what_comes(server: RunningServer, output_format: str) -> None:
    response = post(server, {"image": SMALL}, data={"output_format": output_format})
    assert response.headers["content-type"] == f"image/{output_format}"
    with Image.open(io.BytesIO(response.content)) as image:
        assert image.format == output_format.upper()
        assert image.size == (192, 160)


@pytest.mark.parametrize("output_format", ["png", "jpeg", "webp"])
@pytest.mark.parametrize("has_alpha", [False, True])
def test_large_results_and_large_profiles_are_read_again(
    server: RunningServer, astronaut: NDArray[np.uint8], output_format: str, has_alpha: bool
) -> None:
    """A result is opened again before it counts; its header may lie far behind its first bytes."""
    noise = np.random.default_rng(1).integers(0, 256, (512, 512, 1), np.uint8)
    pixels = np.dstack((astronaut, noise)) if has_alpha else astronaut
    data = encoded(pixels, icc_profile=large_profile())
    response = post(server, {"image": data}, data={"output_format": output_format})
    assert response.status_code == 200, response.text
    with Image.open(io.BytesIO(response.content)) as image:
        image.load()
        assert image.size == (2048, 2048)
        assert image.info["icc_profile"] == large_profile()
        assert image.has_transparency_data == (has_alpha and output_format != "jpeg")


def test_json_form(server: RunningServer) -> None:
    response = post(server, {"image": SMALL}, headers={"accept": "application/json"})
    assert response.headers["content-type"] == "application/json; type=image/png"
    assert "finish-reason" not in response.headers
    assert "seed" not in response.headers
    body = response.json()
    assert body.keys() == {"image", "finish_reason", "seed"}
    assert body["finish_reason"] == "SUCCESS"
    assert isinstance(body["seed"], int)
    assert opened(base64.b64decode(body["image"])).shape == (160, 192, 3)


@pytest.mark.parametrize("accept", ["*/*", "image/*", "image/*, application/json", "text/html"])
def test_any_other_accept_gives_bytes(server: RunningServer, accept: str) -> None:
    assert post(server, {"image": SMALL}, headers={"accept": accept}).headers["content-type"] == "image/png"


@pytest.mark.parametrize("authorization", [SECRET, f"Bearer {SECRET}", f"bearer {SECRET}"])
def test_the_key_with_or_without_bearer(server: RunningServer, authorization: str) -> None:
    assert post(server, {"image": SMALL}, headers={"authorization": authorization}).status_code == 200


@pytest.mark.parametrize(
    "part",
    [
        ("image", SMALL),
        ("image", SMALL, "application/octet-stream"),
        ("photo.txt", SMALL, "text/plain"),
        ("../../../etc/passwd", SMALL),
        ("pöhoto \r\n.png", SMALL, "image/jpeg"),
    ],
    ids=["untyped", "octet-stream", "lying", "traversal", "odd-name"],
)
def test_the_part_may_be_named_and_typed_in_any_way(server: RunningServer, part: tuple[Any, ...]) -> None:
    assert post(server, {"image": part}).status_code == 200


def test_a_hand_made_body_as_the_vendors_own_nodes_send_it(server: RunningServer) -> None:
    """No type on the image part, the bare key, fields that the route does not have."""
    fields = {"mode": "image-to-image", "style": "False", "api_key_override": SECRET, "negative_prompt": ""}
    boundary = "a-boundary"
    body = b"".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    )
    body += (
        f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="image"\r\n\r\n'.encode()
    )
    body += SMALL + f"\r\n--{boundary}--\r\n".encode()
    response = post(
        server,
        content=body,
        headers={
            "authorization": SECRET,
            "accept": "image/*",
            "content-type": f"multipart/form-data; boundary={boundary}",
            "stability-client-id": "nodes",
        },
    )
    assert response.status_code == 200
    assert SECRET not in server.log()


@pytest.mark.parametrize("path", [PATH, f"/stability{PATH}"])
def test_no_key_is_401_before_any_look_at_the_body(server: RunningServer, path: str) -> None:
    for headers in ({"authorization": ""}, {"authorization": "Bearer wrong"}, {"authorization": "wrong"}):
        response = post(server, path=path, content=b"not multipart at all", headers=headers)
        assert_error(response, 401, "unauthorized", "authorization: invalid or missing header value")
    large = post(server, content=bytes(11 * MEBIBYTE), headers={"authorization": "Bearer wrong"})
    assert_error(large, 401, "unauthorized", "authorization")


def test_an_empty_post_with_a_key_names_the_content_type(server: RunningServer) -> None:
    assert_error(post(server), 400, "bad_request", "content-type: required")


def test_a_json_body_is_refused(server: RunningServer) -> None:
    assert_error(post(server, json={"image": "x"}), 400, "bad_request", "content-type: must be multipart")


@pytest.mark.parametrize(
    "body",
    [b"", b"--b", b"--b\r\n\r\n", b"garbage", b'--b\r\nContent-Disposition: form-data; name="image"'],
)
def test_a_malformed_multipart_body_is_refused(server: RunningServer, body: bytes) -> None:
    headers = {"content-type": "multipart/form-data; boundary=b"}
    response = post(server, content=body, headers=headers)
    assert response.status_code == 400
    assert response.json()["name"] == "bad_request"


def test_a_boundary_is_needed(server: RunningServer) -> None:
    response = post(server, content=b"x", headers={"content-type": "multipart/form-data"})
    assert_error(response, 400, "bad_request", "body")


@pytest.mark.parametrize(
    ("files", "text"),
    [
        ({"other": SMALL}, "image: is required"),
        ({"image": (None, "")}, "image: is required"),
        ({"image": (None, "text")}, "image: must be a file"),
        ({"image": ("a.png", b"")}, "image: is empty"),
    ],
)
def test_the_image_is_required_and_a_file(server: RunningServer, files: dict[str, Any], text: str) -> None:
    assert_error(post(server, files), 400, "bad_request", text)


@pytest.mark.parametrize("value", ["gif", "PNG", "", "png "])
def test_another_format_names_the_choices(server: RunningServer, value: str) -> None:
    response = post(server, {"image": SMALL}, data={"output_format": value})
    expected = "output_format: invalid enum value. Expected 'jpeg' | 'png' | 'webp'"
    assert_error(response, 400, "bad_request", expected)


@pytest.mark.parametrize(
    ("width", "height", "text"),
    [
        (31, 64, "image: width must be between 32 and 1536 pixels, got 31"),
        (64, 31, "image: height must be between 32 and 1536 pixels, got 31"),
        (1537, 64, "image: width must be between 32 and 1536 pixels, got 1537"),
        (64, 1537, "image: height must be between 32 and 1536 pixels, got 1537"),
        (1025, 1024, "image: total pixel count must be between 1024 and 1048576, got 1049600"),
    ],
)
def test_limits_name_the_value(server: RunningServer, width: int, height: int, text: str) -> None:
    assert_error(
        post(server, {"image": encoded(scaled("coffee", width, height))}), 400, "bad_request", text
    )


@pytest.mark.parametrize(("width", "height"), [(32, 32), (1536, 32), (32, 1536), (682, 1536)])
def test_the_limits_themselves_are_allowed(server: RunningServer, width: int, height: int) -> None:
    response = post(server, {"image": encoded(scaled("coffee", width, height), "JPEG")})
    assert response.status_code == 200
    assert opened(response.content).shape == (4 * height, 4 * width, 3)


def test_more_than_ten_mebibytes_is_413(server: RunningServer) -> None:
    text = "body: payloads cannot be larger than 10MiB in size"
    padded = SMALL + bytes(10 * MEBIBYTE)
    assert_error(post(server, {"image": padded}), 413, "payload_too_large", text)

    def chunks() -> Any:
        yield b'--b\r\nContent-Disposition: form-data; name="image"; filename="image"\r\n\r\n'
        for _ in range(11):
            yield bytes(MEBIBYTE)

    headers = {"content-type": "multipart/form-data; boundary=b"}
    assert_error(post(server, content=chunks(), headers=headers), 413, "payload_too_large", text)


def test_just_below_ten_mebibytes_is_taken(server: RunningServer) -> None:
    response = post(server, {"image": SMALL + bytes(10 * MEBIBYTE - len(SMALL) - 1000)})
    assert response.status_code == 200


def test_an_empty_body_is_a_400(server: RunningServer) -> None:
    response = post(server, content=b"", headers={"content-type": "multipart/form-data; boundary=b"})
    assert response.status_code == 400


def test_a_slash_too_many_is_a_404_and_no_redirect_to_where_the_caller_says(server: RunningServer) -> None:
    response = post(server, {"image": SMALL}, path=f"{PATH}/", headers={"host": "evil.example"})
    assert_error(response, 404, "not_found", "fast/")


def test_the_v1_shape_is_for_v1_routes_alone(server: RunningServer) -> None:
    with server.client() as client:
        assert_error(client.get("/v2beta/v1/nothing"), 404, "not_found", "/v2beta/v1/nothing")
        assert_error(client.get("/stability/v2beta/v1/x"), 404, "not_found", "/v2beta/v1/x")
        assert client.get("/stability/v1/user/x").json().keys() == {"id", "name", "message"}


def test_an_upload_that_is_cut_off_is_no_fault_of_ours(server: RunningServer) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(
            f"POST {PATH} HTTP/1.1\r\nhost: x\r\nauthorization: {SECRET}\r\ncontent-length: 5000\r\n"
            "content-type: multipart/form-data; boundary=b\r\n\r\n--b\r\n".encode()
        )
        time.sleep(0.2)
    wait_for(lambda: "stability.hang_up" in server.log(), 10, "the hang-up is logged")
    assert "Traceback" not in server.log()


def test_a_client_that_asks_first_gets_its_refusal_at_once(server: RunningServer) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        started = time.monotonic()
        connection.sendall(
            f"POST {PATH} HTTP/1.1\r\nhost: x\r\nauthorization: wrong\r\ncontent-length: 5000000\r\n"
            "expect: 100-continue\r\n\r\n".encode()
        )
        assert connection.recv(20).startswith(b"HTTP/1.1 401")
        assert time.monotonic() - started < 3


def test_unknown_routes_and_methods(server: RunningServer) -> None:
    with server.client() as client:
        assert_error(client.get("/v2beta/no/such/route"), 404, "not_found", "/v2beta/no/such/route")
        wrong_method = client.get(PATH)
        assert_error(wrong_method, 405, "method_not_allowed", "GET")
        assert wrong_method.headers["allow"] == "POST"


def test_each_job_is_kept_with_its_request_and_its_times(server: RunningServer) -> None:
    response = post(server, {"image": SMALL}, data={"output_format": "webp"})
    [row] = server.query(
        "SELECT door, request, state, attempts, width, height, engine_ms, encode_ms, key_id"
        " FROM jobs ORDER BY created_ms DESC LIMIT 1"
    )
    request = json.loads(row[1])
    assert (request["mode"], request["output_format"]) == ("fast", "webp")
    assert request["seed"] == int(response.headers["seed"])
    assert (row[0], *row[2:6], row[8]) == ("stability", "succeeded", 1, 192, 160, "key_bootstrap")
    assert row[6] >= 0
    assert row[7] >= 0


def test_equal_requests_give_equal_pixels(server: RunningServer) -> None:
    first, second = (post(server, {"image": SMALL}) for _ in range(2))
    # Not the bytes: each file's recipe names the seed that was drawn for it.
    np.testing.assert_array_equal(opened(first.content), opened(second.content))
    assert first.headers["seed"] != second.headers["seed"]
