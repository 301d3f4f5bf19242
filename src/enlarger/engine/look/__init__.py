"""What a prompt, a preset, a style picture and a face say about a picture, as numbers and looks.

Nothing here makes texture; that is the creative plan's work, which asks this package what to make
and where, and has it colour the result. See docs/explanation/03-looks.md.
"""
