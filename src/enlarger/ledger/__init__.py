"""Money: prices, the double-entry ledger, and one usage record for every accepted request.

Amounts are integer micro-credits, a millionth of a US dollar each; no float is ever made of one.
What is done together with something else takes the caller's connection, so that both are one commit.
"""
