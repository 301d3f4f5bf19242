"""Fetching a picture that a caller names by URL, without becoming the caller's hand in our network.

Off unless ENLARGER_FETCH_URLS says `public`. Imports no other room than `errors`.
"""

from enlarger.fetching.fetch import Fetcher

__all__ = ["Fetcher"]
