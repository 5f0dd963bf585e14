"""A service on SQLite in memory with a dictionary in place of Redis."""

import os

os.environ["DATABASE_URL"] = "sqlite+pysqlite:///file:papertrade?mode=memory&cache=shared&uri=true"
os.environ["AUTH_SIGNING_KEY"] = "only-for-tests"

import pytest
from fastapi.testclient import TestClient

from papertrade import cache, database
from papertrade.main import app


class FakeRedis:
    def __init__(self) -> None:
        self.values: dict[str, object] = {}

    def get(self, key: str) -> object:
        return self.values.get(key)

    def set(self, key: str, value: object, ex: int) -> None:
        self.values[key] = value

    def incr(self, key: str) -> int:
        self.values[key] = int(self.values.get(key, 0)) + 1
        return self.values[key]

    def expire(self, key: str, seconds: int) -> None:
        pass


@pytest.fixture
def web(monkeypatch):
    monkeypatch.setattr(cache, "client", FakeRedis())
    database.Base.metadata.drop_all(database.engine)
    database.Base.metadata.create_all(database.engine)
    with TestClient(app) as client:
        yield client
