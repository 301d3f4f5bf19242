"""Words whose look needs no model: photographers' and prompt writers' terms of art.

They come before the sentence embedding, which is weak at compounds ("film noir" is a crime story to
it) and costs half a second to load. A word that is here is taken at its look and out of the phrase;
what is left of the phrase goes to the embedding.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from enlarger.engine.look.axes import NEUTRAL, Axes, Subject

_TABLE: Sequence[tuple[str, Axes]] = (
    # Longer terms first: the first that matches at a place is taken.
    ("film noir|noir", Axes(saturation=-1, contrast=0.6, light=-0.3, grain=0.3)),
    ("black[- ]and[- ]white|black & white|b&w|monochrom(?:e|atic)|gr[ae]y ?scale", Axes(saturation=-1)),
    ("sepia", Axes(saturation=-0.75, temperature=0.7)),
    ("golden hour", Axes(temperature=0.6, saturation=0.2, light=0.1)),
    ("blue hour", Axes(temperature=-0.6, light=-0.2)),
    ("sunset|sunrise|sundown|dusk light", Axes(temperature=0.5, saturation=0.2)),
    ("candle ?light|candle ?lit|fire ?light|fire ?lit", Axes(temperature=0.6, light=-0.2)),
    ("moon ?light|moon ?lit", Axes(temperature=-0.5, light=-0.3)),
    ("warm(?:er)?(?: (?:light|tones?|colou?rs?))?", Axes(temperature=0.5)),
    ("(?:cold|cool)(?:er)?(?: (?:light|tones?|colou?rs?))?|icy|wintry", Axes(temperature=-0.5)),
    ("high[- ]key", Axes(light=0.5, contrast=-0.2)),
    ("low[- ]key", Axes(light=-0.4, contrast=0.3)),
    ("over[- ]?exposed|too bright", Axes(light=0.5)),
    ("under[- ]?exposed|too dark", Axes(light=-0.5)),
    ("bright(?:er)?|well[- ]lit|sunny|sun ?lit|airy", Axes(light=0.4)),
    ("dark(?:er)?|dim|gloomy|moody", Axes(light=-0.4)),
    ("low[- ]contrast|flat light(?:ing)?|washed[- ]out|hazy", Axes(contrast=-0.5)),
    ("high[- ]contrast|dramatic light(?:ing)?|chiaroscuro|punchy", Axes(contrast=0.5)),
    ("muted(?: colou?rs?)?|desaturated|pastels?(?: colou?rs?)?|faded|pale", Axes(saturation=-0.45)),
    ("over[- ]?saturated", Axes(saturation=0.6)),
    ("vivid|vibrant|saturated|colou?rful|rich colou?rs", Axes(saturation=0.55)),
    ("neon(?: lights?)?", Axes(saturation=0.5, contrast=0.2)),
    ("over[- ]?sharpen(?:ed|ing)|too sharp|harsh details?", Axes(detail=0.4)),
    ("(?:highly |very |ultra[- ]?|hyper[- ]?|extremely |finely )*detail(?:ed|s)?", Axes(detail=0.4)),
    ("intricate|crisp|textured|fine textures?|high[- ]resolution|4k|8k|hdr|uhd", Axes(detail=0.35)),
    ("(?:ultra[- ]?|razor[- ]?|tack[- ]?|very )*sharp(?:ness)?(?: focus)?", Axes(detail=0.35)),
    ("low[- ]?(?:resolution|res|quality)|pixelated|out of focus", Axes(detail=-0.35)),
    ("blur(?:red|ry)?|bokeh|soft(?: focus)?|dreamy|smooth(?:er)?|silky|airbrushed", Axes(detail=-0.45)),
    ("analog(?:ue)?(?: film)?|35 ?mm(?: film)?|kodak|film stock", Axes(grain=0.45, temperature=0.1)),
    ("noise[- ]free|noiseless|clean", Axes(grain=-0.4)),
    ("film grain|grain(?:y)?|nois[ey]y?", Axes(grain=0.5)),
    ("(?:jpe?g |compression )?artifacts?", Axes(grain=0.2)),
    ("anime|manga|cartoons?|comics?|comic book", Axes(subject=Subject.DRAWING)),
    (
        "line[- ]art|line drawing|vector art|pixel[- ]art|cel[- ]shad(?:ed|ing)",
        Axes(subject=Subject.DRAWING),
    ),
    ("drawing|drawn|sketch|pencil|ink(?:ed)?|illustrations?", Axes(subject=Subject.DRAWING)),
    ("oil painting|water ?colou?r|gouache|impasto|paint(?:ing|ed|erly)", Axes(subject=Subject.PAINTING)),
    ("3d(?: render(?:ing)?| model)?|cgi|octane render|unreal engine", Axes(subject=Subject.RENDER)),
    ("photo(?:graph(?:y|ic)?|realistic)?s?|dslr|raw photo", Axes(subject=Subject.PHOTO)),
)
_PATTERN = re.compile(
    r"(?P<not>\b(?:no|not|without|never)\s+(?:too\s+|any\s+)?)?(?<!\w)(?:"
    + "|".join(f"(?P<k{index}>{term})" for index, (term, _) in enumerate(_TABLE))
    + r")(?!\w)",
    re.IGNORECASE,
)
_FILLER = """
    a an and any as at by for from her his in into is it its like look looking more of on or picture image
    shot style the their this to very with quality best high ultra super extremely beautiful
"""
_FILLING = frozenset(_FILLER.split())


def known_looks(text: str) -> tuple[Axes, list[str], str]:
    """The look of the terms in a phrase, the terms as written, and what is left of the phrase.

    "no grain" is the opposite of grain. What is left is empty if it is made of filling words alone.
    """
    look = NEUTRAL
    found: list[str] = []
    for match in _PATTERN.finditer(text):
        index = next(i for i in range(len(_TABLE)) if match[f"k{i}"])
        term = _TABLE[index][1]
        look = look - term if match["not"] else look + term
        found.append(match[0].lower())
    rest = " ".join(_PATTERN.sub(" ", text).split())
    letters = [word for word in re.findall(r"\w+", rest.lower()) if word not in _FILLING]
    return look, found, rest if letters else ""
