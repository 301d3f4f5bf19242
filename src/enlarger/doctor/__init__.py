"""Looks at everything that has to be right for the server to work, and says what to do where it is not.

It changes nothing but an object and a file of its own, which it removes again.
"""

from enlarger.doctor.examination import Finding, examine, unreadable
from enlarger.doctor.finding import Level

__all__ = ["Finding", "Level", "examine", "unreadable"]
