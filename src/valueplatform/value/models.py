"""The value model in the database: every revision is kept, the newest is in force."""

from functools import lru_cache

from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.core.errors import NotFoundError
from valueplatform.value.model import ValueModel, from_document, to_document
from valueplatform.value.model_versions import fingerprint

_NEWEST = text("SELECT revision, document::text AS document FROM model_revision ORDER BY revision DESC LIMIT 1")
_STORE = text("""
    INSERT INTO model_revision (revision, document, fingerprint)
    SELECT coalesce(max(revision), 0) + 1, CAST(:document AS jsonb), :fingerprint FROM model_revision
    RETURNING revision
""")


class NoModelError(NotFoundError):
    """No value model has been applied yet."""

    code = "no_model"


async def stored_model(tx: Transaction) -> ValueModel | None:
    """The model in force; None before the first is applied."""
    row = await tx.row(_NEWEST)
    return _read(row.document) if row else None


@lru_cache(maxsize=8)
def _read(document: str) -> ValueModel:
    """Models never change once made, and each account asks for the same one."""
    return from_document(document)


async def newest_model(tx: Transaction) -> ValueModel:
    """The model in force. Raises NoModelError before the first is applied."""
    model = await stored_model(tx)
    if model is None:
        raise NoModelError("There is no value model yet; apply one with `valueplatform model apply FILE.toml`.")
    return model


async def store_model(tx: Transaction, model: ValueModel) -> int:
    """Add a revision, under the exclusive model lock that the caller holds; its number."""
    values = {"document": to_document(model).decode(), "fingerprint": fingerprint(model)}
    return int(await tx.scalar(_STORE, values))
