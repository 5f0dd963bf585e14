"""What the process sees: handy while developing."""

import os
import sys

from fastapi import APIRouter

from papertrade import config

router = APIRouter(prefix="/debug")


@router.get("/settings")
def settings() -> dict:
    return {
        "python": sys.version,
        "database": config.DATABASE_URL,
        "cache": config.REDIS_URL,
        "market_data_key_starts_with": config.MARKET_DATA_API_KEY[:4],
        "environment": dict(os.environ),
    }
