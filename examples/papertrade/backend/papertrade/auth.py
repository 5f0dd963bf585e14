"""Passwords and session tokens."""

import base64
import hashlib
import hmac
import secrets
import time
from typing import Annotated

from fastapi import Depends, Header, HTTPException
from sqlalchemy import select
from sqlalchemy.orm import Session

from papertrade import config
from papertrade.database import User, session

TOKEN_SECONDS = 12 * 3600
_signing_key = (config.AUTH_SIGNING_KEY or secrets.token_hex(32)).encode()


def hash_password(password: str) -> str:
    salt = secrets.token_bytes(16)
    return f"{salt.hex()}${_digest(password, salt)}"


def password_matches(password: str, stored: str) -> bool:
    salt, _, digest = stored.partition("$")
    return hmac.compare_digest(_digest(password, bytes.fromhex(salt)), digest)


def _digest(password: str, salt: bytes) -> str:
    return hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1).hex()


def issue_token(name: str, now: float | None = None) -> str:
    expires = int((now or time.time()) + TOKEN_SECONDS)
    body = base64.urlsafe_b64encode(f"{expires}:{name}".encode()).decode()
    return f"{body}.{_sign(body)}"


def name_from_token(token: str) -> str | None:
    body, _, signature = token.partition(".")
    if not hmac.compare_digest(_sign(body).encode(), signature.encode()):
        return None
    expires, _, name = base64.urlsafe_b64decode(body).decode().partition(":")
    return name if int(expires) > time.time() else None


def _sign(body: str) -> str:
    return hmac.new(_signing_key, body.encode(), hashlib.sha256).hexdigest()


def current_user(
    db: Annotated[Session, Depends(session)],
    authorization: Annotated[str, Header()] = "",
) -> User:
    name = name_from_token(authorization.removeprefix("Bearer "))
    user = db.scalar(select(User).where(User.name == name)) if name else None
    if user is None:
        raise HTTPException(401, "please log in")
    return user
