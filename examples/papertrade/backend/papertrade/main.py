"""The HTTP service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from papertrade import database
from papertrade.routes import accounts, debug, trading


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    database.prepare_schema()
    yield


app = FastAPI(title="Papertrade", docs_url="/docs", lifespan=lifespan)
app.add_middleware(
    CORSMiddleware,
    allow_origins=["http://localhost:5173", "http://127.0.0.1:5173"],
    allow_methods=["*"],
    allow_headers=["*"],
)
app.include_router(accounts.router)
app.include_router(trading.router)
app.include_router(debug.router)


@app.get("/health")
def health() -> dict:
    return {"status": "ok"}
