"""What is fetched beside the networks that enlarge: pinned, listed and checked in the same way."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from enlarger.engine.runtimes.openvino import OnnxNetwork
from enlarger.errors import BadParameter, BadWeights, DigestMismatch, ModelMissing
from enlarger.models import Asset, Entry, ModelStore, known_assets, known_networks
from enlarger.models.catalogue import parse_catalogue

AUXILIARIES = [asset for asset in known_assets().values() if not isinstance(asset, Entry)]
TEXT = """
[networks]
[auxiliaries.words]
purpose = "a test"
licence = "CC0-1.0"
commercial = true
default = true
source = "nowhere"
package = "tiny"
[auxiliaries.words.files]
"tiny/words.txt" = "00"
[packages.tiny]
version = "1.0"
wheel = "tiny-1.0-py3-none-any.whl"
sha256 = "00"
"""


def test_networks_and_auxiliaries_are_one_list_without_a_name_twice() -> None:
    assert set(known_networks()) < set(known_assets())
    assert not set(known_networks()) & {asset.name for asset in AUXILIARIES}
    assert len(known_assets()) == len(known_networks()) + len(AUXILIARIES)
    with pytest.raises(BadParameter, match="model 'minilm-l6-v2-int8' is not one of: span"):
        _ = known_networks()["minilm-l6-v2-int8"]


def test_a_table_that_is_wrong_is_an_error() -> None:
    networks, assets = parse_catalogue(TEXT)
    assert not networks
    assert [asset.name for asset in assets.defaults] == ["words"]
    for wrong in (TEXT.replace("source =", "sauce ="), TEXT.replace('"tiny"', '"large"')):
        with pytest.raises((TypeError, KeyError)):
            parse_catalogue(wrong)


@pytest.mark.parametrize("asset", AUXILIARIES, ids=lambda asset: asset.name)
def test_each_is_here_and_free_to_use(asset: Asset, store: ModelStore) -> None:
    assert asset.commercial
    assert store.has(asset)
    store.verify(asset)
    for member in asset.files:
        name = Path(member).name
        assert store.file(asset, name).name == name


@pytest.mark.parametrize("asset", AUXILIARIES, ids=lambda asset: asset.name)
def test_a_damaged_or_missing_file_is_not_handed_out(
    asset: Asset, store: ModelStore, tmp_path: Path
) -> None:
    copy = ModelStore(tmp_path)
    name = Path(next(iter(asset.files))).name
    with pytest.raises(ModelMissing, match=f"enlarger models pull {asset.name}"):
        copy.file(asset, name)
    shutil.copytree(store.root / asset.name, tmp_path / asset.name)
    with copy.file(asset, name).open("ab") as file:
        file.write(b"x")
    with pytest.raises(DigestMismatch, match=name):
        copy.file(asset, name)


def test_what_is_no_network_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"not a network")
    with pytest.raises(BadWeights, match=r"model\.onnx"):
        OnnxNetwork(path)
