"""A whole installation in one file, and an installation made of such a file.

For SQLite and what lies beside it. Postgres has its own tools, which are better than ours would be.
"""

from enlarger.backup.making import Made, make_backup
from enlarger.backup.restoring import Restored, restore_backup

__all__ = ["Made", "Restored", "make_backup", "restore_backup"]
