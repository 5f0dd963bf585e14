"""Gives every account the opening cash again: python scripts/grant_cash.py"""

from sqlalchemy import update

from papertrade import config
from papertrade.database import User, new_session

with new_session.begin() as db:
    changed = db.execute(update(User).values(cash=config.OPENING_CASH)).rowcount
print(f"{changed} accounts reset")
