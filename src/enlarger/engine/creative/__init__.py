"""The embedded creative engine: seeded texture that the input does not show, steered by words.

It cannot paint what a prompt names; docs/explanation/04-creative.md says what it can.
"""
