"""The databases that windows are kept in."""

from __future__ import annotations

from pathlib import Path

import pytest

from enlarger.limits.store import prepare


@pytest.fixture(params=["sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A prepared database of each kind; another kind is a parameter and a line here."""
    url = {"sqlite": f"sqlite:///{tmp_path / 'limits.db'}"}[request.param]
    prepare(url)
    return url
