"""Members: the people of a workspace."""

from __future__ import annotations

import re
import secrets
from typing import Any

import sqlalchemy as sa

from enlarger.accounts import passwords
from enlarger.accounts.roles import Role
from enlarger.accounts.tables import KEYS, MEMBERS, SESSIONS, WORKSPACES
from enlarger.accounts.values import Member
from enlarger.database import now_ms, write
from enlarger.errors import BadParameter, NotFound

ID_BYTES = 12
EMAIL_MAX = 254
"""Characters, RFC 5321."""
EMAIL = re.compile(r"[^\s@,;<>\"'()\x00-\x1f]+@[^\s@,;<>\"'()\x00-\x1f]+")
"""Something at somewhere. Whether it exists is for whoever adds it to know."""
AT_ONCE = 8
"""Workspaces that one sign-in is tried for."""


class Members:
    """The members of all workspaces. Every call is one short transaction; before it comes a slow hash
    where there is a password."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def add(self, workspace_id: str, email: str, role: Role, password: str | None) -> Member:
        """A new member.

        password  None for who signs on elsewhere.

        Raises BadParameter for an address that is none or is a member's already, a password that
        is too short, and a first member who is no owner.
        """
        address = email_of(email)
        kept = None if password is None else passwords.hash_password(password)
        member_id = f"mem_{secrets.token_hex(ID_BYTES)}"
        with write(self._engine) as connection:
            _lock(connection, workspace_id)
            others = _rows(connection, workspace_id)
            if any(row.email == address for row in others):
                raise BadParameter(f"{address} is a member already", param="email")
            if not others and role is not Role.OWNER:
                raise BadParameter("the first member of a workspace must be an owner", param="role")
            connection.execute(
                MEMBERS.insert().values(
                    id=member_id,
                    workspace_id=workspace_id,
                    email=address,
                    role=role,
                    password_hash=kept,
                    created_ms=now_ms(),
                )
            )
        return self.get(member_id, workspace_id)

    def get(self, id_or_email: str, workspace_id: str) -> Member:
        """A member of this workspace. Raises NotFound."""
        with self._engine.connect() as connection:
            return member_of(_row(connection, id_or_email, workspace_id))

    def change_role(self, id_or_email: str, workspace_id: str, role: Role) -> Member:
        """Give a member another role, from the next request on. Raises NotFound.

        Raises BadParameter for the last owner: somebody must be able to undo it.
        """
        with write(self._engine) as connection:
            _lock(connection, workspace_id)
            row = _row(connection, id_or_email, workspace_id)
            if role is not Role.OWNER:
                _check_owner_stays(connection, row, "role")
            connection.execute(MEMBERS.update().where(MEMBERS.c.id == row.id).values(role=role))
        return self.get(row.id, workspace_id)

    def remove(self, id_or_email: str, workspace_id: str, *, by: str = "") -> int:
        """Take a member out: the sessions end, and the keys that the member made are revoked.

        Returns how many keys. Raises NotFound, BadParameter for the last owner of several members.
        """
        with write(self._engine) as connection:
            _lock(connection, workspace_id)
            row = _row(connection, id_or_email, workspace_id)
            if len(_rows(connection, workspace_id)) > 1:
                _check_owner_stays(connection, row, "member")
            revoked = connection.execute(
                KEYS.update()
                .where(
                    KEYS.c.workspace_id == workspace_id,
                    KEYS.c.created_by == row.email,
                    KEYS.c.revoked_ms.is_(None),
                )
                .values(revoked_ms=now_ms(), revoked_by=by)
            )
            connection.execute(SESSIONS.delete().where(SESSIONS.c.member_id == row.id))
            connection.execute(MEMBERS.delete().where(MEMBERS.c.id == row.id))
        return revoked.rowcount

    def set_password(self, id_or_email: str, workspace_id: str, password: str | None) -> None:
        """Another password, or none, by which all of the member's sessions end.

        Raises BadParameter for one that is too short, NotFound.
        """
        kept = None if password is None else passwords.hash_password(password)
        with write(self._engine) as connection:
            row = _row(connection, id_or_email, workspace_id)
            connection.execute(MEMBERS.update().where(MEMBERS.c.id == row.id).values(password_hash=kept))
            connection.execute(SESSIONS.delete().where(SESSIONS.c.member_id == row.id))

    def who(self, email: str, password: str) -> list[Member]:
        """Every membership that an address and a password open; none if they open nothing.

        It takes as long for an address that is no member's.
        """
        address = email.strip().lower()
        query = sa.select(MEMBERS).where(MEMBERS.c.email == address).order_by(MEMBERS.c.created_ms)
        with self._engine.connect() as connection:
            rows = connection.execute(query.limit(AT_ONCE)).all()
        if not rows:
            passwords.is_right(password, None)
        found = [row for row in rows if passwords.is_right(password, row.password_hash)]
        for row in found:
            if passwords.is_outdated(row.password_hash):
                self._keep_again(row.id, row.password_hash, password)
        return [member_of(row) for row in found]

    def memberships(self, email: str) -> list[Member]:
        """Every membership of an address that somebody else vouches for, the oldest first."""
        address = email.strip().lower()
        query = sa.select(MEMBERS).where(MEMBERS.c.email == address).order_by(MEMBERS.c.created_ms)
        with self._engine.connect() as connection:
            return [member_of(row) for row in connection.execute(query)]

    def list(self, workspace_id: str | None = None) -> list[Member]:
        """The members of a workspace, or of all; the oldest first."""
        with self._engine.connect() as connection:
            return [member_of(row) for row in _rows(connection, workspace_id)]

    def has_members(self, workspace_id: str) -> bool:
        """Whether the workspace has any."""
        return bool(self.list(workspace_id))

    def _keep_again(self, member_id: str, before: str, password: str) -> None:
        kept = passwords.hash_password(password)
        with write(self._engine) as connection:
            connection.execute(
                MEMBERS.update()
                .where(MEMBERS.c.id == member_id, MEMBERS.c.password_hash == before)
                .values(password_hash=kept)
            )


def email_of(text: str) -> str:
    """An address as it is kept, in lower case. Raises BadParameter."""
    address = text.strip().lower()
    if len(address) > EMAIL_MAX or not EMAIL.fullmatch(address):
        raise BadParameter(
            f"email is {text[:60]!r}; it must be an address of at most {EMAIL_MAX} characters",
            param="email",
        )
    return address


def member_of(row: Any) -> Member:
    """A member as a value."""
    return Member(
        id=row.id,
        workspace_id=row.workspace_id,
        email=row.email,
        role=Role(row.role),
        has_password=row.password_hash is not None,
        created_ms=row.created_ms,
    )


def _rows(connection: sa.Connection, workspace_id: str | None) -> list[sa.Row[Any]]:
    query = sa.select(MEMBERS).order_by(MEMBERS.c.created_ms, MEMBERS.c.id)
    if workspace_id is not None:
        query = query.where(MEMBERS.c.workspace_id == workspace_id)
    return list(connection.execute(query))


def _row(connection: sa.Connection, id_or_email: str, workspace_id: str) -> sa.Row[Any]:
    is_named = sa.or_(MEMBERS.c.id == id_or_email, MEMBERS.c.email == id_or_email.strip().lower())
    query = sa.select(MEMBERS).where(MEMBERS.c.workspace_id == workspace_id, is_named)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound(f"there is no member {id_or_email}", param="member")
    return row


def _check_owner_stays(connection: sa.Connection, row: sa.Row[Any], param: str) -> None:
    owners = [one.id for one in _rows(connection, row.workspace_id) if one.role == Role.OWNER]
    if owners == [row.id]:
        raise BadParameter(
            f"{row.email} is the last owner; make another member an owner first", param=param
        )


def _lock(connection: sa.Connection, workspace_id: str) -> None:
    """One change of a workspace's members at a time, or two owners could remove each other at once."""
    query = sa.select(WORKSPACES.c.id).where(WORKSPACES.c.id == workspace_id).with_for_update()
    if connection.scalar(query) is None:
        raise NotFound(f"there is no workspace {workspace_id}", param="workspace")
