"""Alembic's entry point."""

from logging.config import fileConfig

from alembic import context
from sqlalchemy import engine_from_config, pool

from papertrade.database import Base

settings = context.config
if settings.config_file_name is not None:
    fileConfig(settings.config_file_name)


def migrate_online() -> None:
    engine = engine_from_config(
        settings.get_section(settings.config_ini_section, {}),
        prefix="sqlalchemy.",
        poolclass=pool.NullPool,
    )
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=Base.metadata)
        with context.begin_transaction():
            context.run_migrations()


migrate_online()
