"""What tests of Scenario's door share."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import httpx

from enlarger.jobs import Job
from tests.support.house import SMALL, House
from tests.support.photos import crop, encoded

STYLE = encoded(crop("rocket", 40, 30))
UPSCALE = "/v1/generate/upscale"
CUSTOM = "/v1/generate/custom/model_upscale-v3"
ERROR = {"reason", "message", "error", "code", "trace_id"}
"""Members of every error's body."""


def data_url(picture: bytes) -> str:
    """A picture as clients put it into JSON."""
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"


def assert_refused(response: httpx.Response, status: int, text: str = "", *more: str) -> None:
    """An error in the vendor's shape; `more` are members of this kind of error."""
    assert response.status_code == status, response.text
    body = response.json()
    assert body.keys() == ERROR | set(more), body
    assert body["reason"] == body["message"]
    assert text in body["reason"], body
    assert body["trace_id"] == response.headers["x-request-id"]


@dataclass
class Client:
    """One key's way through the door."""

    house: House
    headers: dict[str, str]

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Ask for something below `/v1`, or below another prefix."""
        headers = self.headers | more.pop("headers", {})
        where = path if path.startswith("/v1") else f"/v1{path}"
        return self.house.http.request(method, where, headers=headers, **more)

    def upload(self, picture: bytes = SMALL, name: str = "cup.png") -> dict[str, Any]:
        """A new asset."""
        answer = self.call("POST", "/assets", json={"name": name, "image": data_url(picture)})
        assert answer.status_code == 200, answer.text
        asset: dict[str, Any] = answer.json()["asset"]
        return asset

    def begin(self, path: str = UPSCALE, **body: Any) -> dict[str, Any]:
        """The job of a request that must be accepted."""
        answer = self.call("POST", path, json=body)
        assert answer.status_code == 200, answer.text
        job: dict[str, Any] = answer.json()["job"]
        return job

    def job(self, job_id: str) -> dict[str, Any]:
        """A job as it stands."""
        answer = self.call("GET", f"/jobs/{job_id}")
        assert answer.status_code == 200, answer.text
        job: dict[str, Any] = answer.json()["job"]
        return job

    def row(self, job_id: str) -> Job:
        """What is kept of a job."""
        workspace = self.house.desk.accounts.workspaces.get("default").id
        return self.house.desk.jobs.by_alias(job_id, workspace)

    def finish(self, job_id: str) -> None:
        """Do what a worker does with a job that goes well."""
        self.house.finish(self.row(job_id).id)


def client(house: House, workspace: str = "default", **terms: Any) -> Client:
    """A client with a new key."""
    return Client(house, house.key(workspace, **terms))
