"""Words to numbers: BERT's word pieces, and the sentence embedding of all-MiniLM-L6-v2.

The tokenizer is our own because the usual one, `tokenizers`, brings a client of a model hub with it,
and what is left of its work for one lower-case vocabulary is this page. It gives the same ids
(tests/engine/look/test_tokens.py).
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from enlarger.errors import BadWeights
from enlarger.models import AssetCatalogue, ModelStore

if TYPE_CHECKING:
    from enlarger.engine.runtimes.openvino import OnnxNetwork

EMBEDDING = "minilm-l6-v2-int8"
VOCABULARY = "bert-uncased-vocabulary"
TOKENS_MAX = 128
"""Longest input, with its two marks: the length that the sentence model was tuned at."""
WORD_MAX = 100
"""Longer words are unknown, as in BERT."""
CLASSIFY, SEPARATE, UNKNOWN = "[CLS]", "[SEP]", "[UNK]"
CJK = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2FA1F))
"""Blocks whose characters BERT takes for words of their own."""


class WordPieces:
    """Text to ids of the lower-case English BERT vocabulary."""

    def __init__(self, vocabulary: Mapping[str, int]) -> None:
        self._ids = vocabulary
        self._unknown = vocabulary[UNKNOWN]

    @classmethod
    def read(cls, path: Path) -> WordPieces:
        """From a `tokenizer.json`. Raises BadWeights if it holds no such vocabulary."""
        try:
            vocabulary = json.loads(path.read_bytes())["model"]["vocab"]
            return cls(vocabulary)
        except (ValueError, KeyError, TypeError):
            raise BadWeights(f"{path} holds no word-piece vocabulary") from None

    def ids(self, text: str) -> list[int]:
        """Ids with the marks at both ends, at most TOKENS_MAX; what is longer is cut at the end."""
        pieces = [piece for word in words(text) for piece in self._pieces(word)]
        return [self._ids[CLASSIFY], *pieces[: TOKENS_MAX - 2], self._ids[SEPARATE]]

    def _pieces(self, word: str) -> list[int]:
        """The longest known piece first, then the longest known continuation, and so on."""
        if len(word) > WORD_MAX:
            return [self._unknown]
        pieces: list[int] = []
        start = 0
        while start < len(word):
            for end in range(len(word), start, -1):
                piece = self._ids.get(("##" if start else "") + word[start:end])
                if piece is not None:
                    pieces.append(piece)
                    start = end
                    break
            else:
                return [self._unknown]
        return pieces


def words(text: str) -> Iterator[str]:
    """Lower-case words without accents; every punctuation mark and Chinese character is a word."""
    plain = unicodedata.normalize("NFD", text.lower())
    spaced = []
    for character in plain:
        category = unicodedata.category(character)
        if category == "Mn":
            continue
        if character in "\t\n\r" or category == "Zs":
            spaced.append(" ")
        elif category[0] == "C" or character == "\ufffd":
            continue
        elif _stands_alone(character, category):
            spaced.append(f" {character} ")
        else:
            spaced.append(character)
    yield from "".join(spaced).split()


def _stands_alone(character: str, category: str) -> bool:
    # BERT takes every ASCII mark for punctuation, also the likes of $ and ^ that Unicode does not.
    is_ascii_mark = character.isascii() and not character.isalnum()
    is_chinese = any(low <= ord(character) <= high for low, high in CJK)
    return is_ascii_mark or is_chinese or category[0] == "P"


class SentenceEmbedding:
    """all-MiniLM-L6-v2 with int8 weights, in OpenVINO; loaded at the first text, kept afterwards."""

    def __init__(self, store: ModelStore, catalogue: AssetCatalogue, *, threads: int | None = None) -> None:
        """threads  processor threads; None takes every core. One phrase is 4 ms on one."""
        self._store = store
        self._catalogue = catalogue
        self._threads = threads
        self._loaded: tuple[WordPieces, OnnxNetwork] | None = None

    @property
    def is_loaded(self) -> bool:
        """Whether a text has been asked for yet."""
        return self._loaded is not None

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(len(texts), 384), each row of unit length: its dot products are cosine similarities.

        The mean over the tokens of the last layer, as the model was trained. Texts are run one by
        one: in a batch the rounding of int8 activations would make a text depend on its neighbours.

        Raises ModelMissing or DigestMismatch at the first call.
        """
        pieces, network = self._load()
        rows = [self._embed(pieces.ids(text), network) for text in texts]
        return np.stack(rows) if rows else np.zeros((0, 384), np.float32)

    def _load(self) -> tuple[WordPieces, OnnxNetwork]:
        if self._loaded is None:
            from enlarger.engine.runtimes.openvino import OnnxNetwork

            vocabulary = self._store.file(self._catalogue[VOCABULARY], "tokenizer.json")
            weights = self._store.file(self._catalogue[EMBEDDING], "model.onnx")
            self._loaded = WordPieces.read(vocabulary), OnnxNetwork(weights, threads=self._threads)
        return self._loaded

    @staticmethod
    def _embed(ids: Sequence[int], network: OnnxNetwork) -> NDArray[np.float32]:
        tokens = np.array([ids], np.int64)
        hidden = network.run(tokens, np.ones_like(tokens), np.zeros_like(tokens))[0]
        mean: NDArray[np.float32] = hidden.mean(axis=0)
        unit: NDArray[np.float32] = mean / np.linalg.norm(mean)
        return unit
