"""Quotes, trades and what is owned."""

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel, Field
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from papertrade import quotes
from papertrade.auth import current_user
from papertrade.database import Trade, User, session

router = APIRouter(prefix="/api")
Symbol = Annotated[str, Field(pattern=r"^[A-Z.]{1,10}$")]


class Order(BaseModel):
    symbol: Symbol
    quantity: int = Field(description="positive buys, negative sells")


@router.get("/quotes/{symbol}")
def get_quote(symbol: Symbol, _user: Annotated[User, Depends(current_user)]) -> dict:
    return {"symbol": symbol, "price": quotes.quote(symbol)}


@router.get("/portfolio")
def portfolio(
    user: Annotated[User, Depends(current_user)], db: Annotated[Session, Depends(session)]
) -> dict:
    rows = db.execute(
        select(Trade.symbol, func.sum(Trade.quantity))
        .where(Trade.user_id == user.id)
        .group_by(Trade.symbol)
        .having(func.sum(Trade.quantity) != 0)
        .order_by(Trade.symbol)
    )
    return {"cash": float(user.cash), "shares": {symbol: int(count) for symbol, count in rows}}


@router.post("/trades", status_code=201)
def trade(
    order: Order,
    user: Annotated[User, Depends(current_user)],
    db: Annotated[Session, Depends(session)],
) -> dict:
    owned = portfolio(user, db)["shares"].get(order.symbol, 0)
    price = Decimal(str(quotes.quote(order.symbol)))
    cost = price * order.quantity
    if order.quantity == 0 or owned + order.quantity < 0 or cost > user.cash:
        raise HTTPException(422, "not enough cash or shares for this order")
    user.cash = Decimal(user.cash) - cost
    db.add(Trade(user_id=user.id, symbol=order.symbol, quantity=order.quantity, price=price))
    db.commit()
    return {"symbol": order.symbol, "quantity": order.quantity, "price": float(price)}
