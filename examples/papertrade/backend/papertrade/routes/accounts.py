"""Making an account and logging in."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from papertrade import auth, cache, config
from papertrade.database import User, session

router = APIRouter(prefix="/api")


class Credentials(BaseModel):
    name: str = Field(min_length=2, max_length=40, pattern=r"^[a-z0-9-]+$")
    password: str = Field(min_length=10, max_length=200)
    client_id: str = ""


@router.post("/users", status_code=201)
def register(wanted: Credentials, db: Annotated[Session, Depends(session)]) -> dict:
    if db.scalar(select(User).where(User.name == wanted.name)):
        raise HTTPException(409, "that name is taken")
    user = User(
        name=wanted.name,
        password_hash=auth.hash_password(wanted.password),
        cash=config.OPENING_CASH,
    )
    db.add(user)
    db.commit()
    return {"name": user.name, "cash": float(user.cash)}


@router.post("/session")
def log_in(given: Credentials, db: Annotated[Session, Depends(session)]) -> dict:
    if given.client_id != config.AUTH_CLIENT_ID:
        raise HTTPException(403, "unknown client")
    if cache.too_many_attempts(given.name):
        raise HTTPException(429, "too many attempts, wait ten minutes")
    user = db.scalar(select(User).where(User.name == given.name))
    if user is None or not auth.password_matches(given.password, user.password_hash):
        raise HTTPException(401, "wrong name or password")
    return {"token": auth.issue_token(user.name)}
