"""What the tests of the looks share: the real weights, loaded once, and photographs as floats."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from enlarger.engine.look.prompt import Router
from enlarger.engine.look.style import StyleNetwork
from enlarger.engine.look.tokens import SentenceEmbedding
from enlarger.models import ModelStore, known_assets
from tests.support.photos import photo

PHOTOS = ("astronaut", "coffee", "chelsea")


def as_floats(name: str) -> NDArray[np.float32]:
    return photo(name).astype(np.float32) / 255


@pytest.fixture(scope="session")
def embed(store: ModelStore) -> SentenceEmbedding:
    return SentenceEmbedding(store, known_assets(), threads=1)


@pytest.fixture(scope="session")
def router(embed: SentenceEmbedding) -> Router:
    return Router(embed)


@pytest.fixture(scope="session")
def style_network(store: ModelStore) -> StyleNetwork:
    return StyleNetwork(store, known_assets(), threads=1)
