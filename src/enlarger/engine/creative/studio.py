"""What the creative mode needs beside networks that enlarge: words, styles, faces. Loaded when used."""

from __future__ import annotations

from enlarger.engine.look.faces import CASCADE, FaceFinder
from enlarger.engine.look.prompt import Resolved, Router
from enlarger.engine.look.style import STYLE, StyleNetwork
from enlarger.engine.look.tokens import EMBEDDING, VOCABULARY, SentenceEmbedding
from enlarger.models import AssetCatalogue, ModelStore
from enlarger.request import UpscaleRequest

ASSETS = (EMBEDDING, VOCABULARY, STYLE, CASCADE)
"""Their names in the catalogue."""


class Studio:
    """The auxiliary networks, kept between requests."""

    def __init__(self, store: ModelStore, assets: AssetCatalogue) -> None:
        self._router = Router(SentenceEmbedding(store, assets))
        self.style = StyleNetwork(store, assets)
        self.faces = FaceFinder(store, assets)

    def resolve(self, request: UpscaleRequest) -> Resolved:
        """What the request's words come to. Raises BadParameter for an unknown preset."""
        return self._router.route(
            request.prompt,
            request.negative_prompt,
            request.style_preset,
            prompt_fidelity=request.prompt_fidelity,
            override=request.override_preset,
        )
