"""Settings of the service, read from the environment once at import."""

import os

DATABASE_URL = os.environ.get(
    "DATABASE_URL", "postgresql+psycopg2://papertrade:papertrade@localhost:5432/papertrade"
)
REDIS_URL = os.environ.get("REDIS_URL", "redis://localhost:6379/0")

# Signs the session tokens. Without it every process makes up its own.
AUTH_SIGNING_KEY = os.environ.get("AUTH_SIGNING_KEY", "")
AUTH_CLIENT_ID = os.environ.get("AUTH_CLIENT_ID", "paper-web")

MARKET_DATA_API_KEY = os.environ.get("MARKET_DATA_API_KEY", "")
MARKET_DATA_URL = os.environ.get("MARKET_DATA_URL", "https://marketdata.example/v1/quote")

OPENING_CASH = 10_000
QUOTE_TTL_SECONDS = 60
