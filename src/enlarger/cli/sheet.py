"""A contact sheet: pictures of one size in a grid, each with lines of text below it."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

TEXT_PX = 15
LINE_PX = 20
MARGIN_PX = 12
PAPER, INK = "#ffffff", "#101010"


@dataclass(frozen=True)
class Cell:
    """One picture of the sheet."""

    image: Image.Image
    lines: tuple[str, ...]


def contact_sheet(cells: list[Cell], *, columns: int = 3) -> Image.Image:
    """The sheet, RGB. Pictures smaller than the first are drawn at its size, pixels as squares."""
    width, height = max(cell.image.width for cell in cells), max(cell.image.height for cell in cells)
    lines = max(len(cell.lines) for cell in cells)
    font = ImageFont.load_default(TEXT_PX)
    # A line that is wider than its picture would run into the next one.
    text_px = max(int(font.getlength(line)) for cell in cells for line in cell.lines)
    across = max(width, text_px + 2) + MARGIN_PX
    down = height + lines * LINE_PX + 2 * MARGIN_PX
    columns = min(columns, len(cells))
    rows = -(-len(cells) // columns)
    sheet = Image.new("RGB", (columns * across + MARGIN_PX, rows * down + MARGIN_PX), PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, cell in enumerate(cells):
        left = MARGIN_PX + number % columns * across
        top = MARGIN_PX + number // columns * down
        image = cell.image
        if image.size != (width, height):
            image = image.resize((width, height), Image.Resampling.NEAREST)
        mask = image.getchannel("A") if "A" in image.getbands() else None
        sheet.paste(image.convert("RGB"), (left, top), mask)
        for line, text in enumerate(cell.lines):
            draw.text((left, top + height + 4 + line * LINE_PX), text, fill=INK, font=font)
    return sheet
