"""Tables and sessions."""

from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import ForeignKey, Numeric, String, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

from papertrade import config

engine = create_engine(config.DATABASE_URL, echo=True, pool_pre_ping=True)
new_session = sessionmaker(bind=engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    cash: Mapped[float] = mapped_column(Numeric(14, 2))


class Trade(Base):
    __tablename__ = "trades"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    symbol: Mapped[str] = mapped_column(String(10))
    quantity: Mapped[int]
    price: Mapped[float] = mapped_column(Numeric(14, 2))
    made_at: Mapped[datetime] = mapped_column(
        default=lambda: datetime.now(UTC).replace(tzinfo=None)
    )


def prepare_schema() -> None:
    Base.metadata.create_all(engine)


def session() -> Iterator[Session]:
    with new_session() as opened:
        yield opened
