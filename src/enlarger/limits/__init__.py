"""How much may come at once: requests of a key and of an address, bytes of bodies.

Nothing is imported here: settings read the grammar of a rule, and need no database for it.
"""
