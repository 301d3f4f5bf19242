"""Word pieces are BERT's, and the embedding puts like beside like."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from enlarger.engine.look.tokens import TOKENS_MAX, VOCABULARY, SentenceEmbedding, WordPieces
from enlarger.errors import BadWeights, ModelMissing
from enlarger.models import ModelStore, known_assets


@pytest.fixture(scope="module")
def pieces(store: ModelStore) -> WordPieces:
    return WordPieces.read(store.file(known_assets()[VOCABULARY], "tokenizer.json"))


@pytest.mark.parametrize(
    ("text", "ids"),
    # Written down from the library `tokenizers` 0.23.3 with the same vocabulary.
    [
        ("", [101, 102]),
        ("A photo of a cat!", [101, 1037, 6302, 1997, 1037, 4937, 999, 102]),
        ("na\xefve caf\xe9 \xc5ngstr\xf6m", [101, 15743, 7668, 17076, 15687, 102]),
        ("\u4f60\u597d\u4e16\u754c hello", [101, 100, 100, 1745, 100, 7592, 102]),
        (
            "don't stop; it's $5.00^2 `q`",
            [
                101,
                2123,
                1005,
                1056,
                2644,
                1025,
                2009,
                1005,
                1055,
                1002,
                1019,
                1012,
                4002,
                1034,
                1016,
                1036,
                1053,
                1036,
                102,
            ],
        ),
        ("emoji \U0001f600 test", [101, 7861, 29147, 2072, 100, 3231, 102]),
        ("zero\u200bwidth\ufffd x\x00y", [101, 5717, 9148, 11927, 2232, 1060, 2100, 102]),
        (
            "hyper-realistic 8K HDR, f/1.8",
            [101, 23760, 1011, 12689, 1022, 2243, 10751, 2099, 1010, 1042, 1013, 1015, 1012, 1022, 102],
        ),
        (
            "\u3072\u3089\u304c\u306a\u30ab\u30bf\u30ab\u30ca \ud55c\uad6d\uc5b4",
            [
                101,
                1673,
                30211,
                30177,
                30193,
                30226,
                30235,
                30226,
                30241,
                1469,
                30006,
                30021,
                29991,
                30014,
                30020,
                29999,
                30008,
                102,
            ],
        ),
        (
            "x" * 101 + " ok",
            [101, 100, 7929, 102],
        ),
        ("Stra\xdfe \u0141\xd3D\u0179", [101, 2358, 27807, 17814, 102]),
        (
            "\u041f\u0440\u0438\u0432\u0435\u0442 \u043c\u0438\u0440",
            [101, 1194, 16856, 10325, 25529, 15290, 22919, 1191, 10325, 16856, 102],
        ),
        ("a\xa0b\u3000c\u2028d", [101, 1037, 1038, 1039, 1040, 102]),
        ("\xabquote\xbb \u2014 \u201cx\u201d", [101, 1077, 14686, 1090, 1517, 1523, 1060, 1524, 102]),
        ("\uff26\uff35\uff2c\uff2c \uff57\uff49\uff44\uff54\uff48", [101, 100, 100, 102]),
    ],
)
def test_ids_are_those_of_the_usual_library(pieces: WordPieces, text: str, ids: list[int]) -> None:
    assert pieces.ids(text) == ids


def test_long_texts_are_cut_and_keep_their_end_mark(pieces: WordPieces) -> None:
    ids = pieces.ids("word " * 300)
    assert (len(ids), ids[0], ids[-1]) == (TOKENS_MAX, 101, 102)


def test_a_file_without_a_vocabulary_says_so(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    for text in ("{", "{}", '{"model": {"vocab": {}}}', "[]"):
        path.write_text(text)
        with pytest.raises(BadWeights, match="no word-piece vocabulary"):
            WordPieces.read(path)


def test_rows_are_unit_vectors_and_like_is_beside_like(embed: SentenceEmbedding) -> None:
    cat, kitten, market = embed(["a cat", "a kitten", "the stock market"])
    assert np.linalg.norm([cat, kitten, market], axis=1) == pytest.approx(1.0, abs=1e-5)
    assert cat @ kitten > 0.6
    assert cat @ market < 0.3
    assert embed([]).shape == (0, 384)


def test_a_text_is_the_same_whatever_is_asked_with_it(embed: SentenceEmbedding) -> None:
    alone = embed(["golden hour"])[0]
    beside = embed(["a very long sentence about something else, with many words", "golden hour"])[1]
    assert np.array_equal(alone, beside)


def test_without_the_weights_it_says_how_to_get_them(tmp_path: Path) -> None:
    empty = SentenceEmbedding(ModelStore(tmp_path), known_assets())
    with pytest.raises(ModelMissing, match="enlarger models pull bert-uncased-vocabulary"):
        empty(["a cat"])
    assert not empty.is_loaded
