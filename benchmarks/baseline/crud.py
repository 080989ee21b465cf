"""A textbook registry of pipelines: FastAPI, SQLAlchemy 2 (asyncio) on asyncpg, one table, four routes.

It is tuned as one would tune it for production: a pool of 20 connections that stay, uvloop, httptools, no access log.
"""

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import DateTime, String, delete, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine(os.environ["BENCHMARK_CRUD_URL"], pool_size=20, max_overflow=0)
Session = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    """The metadata of the one table."""


class Pipeline(Base):
    """A stored pipeline."""

    __tablename__ = "pipelines"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    description: Mapped[str] = mapped_column(default="")
    spec: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class NewPipeline(BaseModel):
    """What is asked for."""

    name: str = Field(min_length=1, max_length=200)
    description: str = ""
    spec: dict[str, Any]


class PipelinePage(NewPipeline):
    """What is answered."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    created_at: datetime


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Make the table, and close the pool at the end."""
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)


async def session() -> AsyncIterator[AsyncSession]:
    """Lend a session for one request."""
    async with Session() as lent:
        yield lent


Db = Annotated[AsyncSession, Depends(session)]


@app.post("/pipelines", status_code=201, response_model=PipelinePage)
async def create(body: NewPipeline, db: Db) -> Pipeline:
    """Create a pipeline."""
    row = Pipeline(**body.model_dump())
    db.add(row)
    try:
        await db.commit()
    except IntegrityError:
        raise HTTPException(409, "a pipeline of that name exists") from None
    return row


@app.get("/pipelines/{name}", response_model=PipelinePage)
async def get(name: str, db: Db) -> Pipeline:
    """Get one pipeline."""
    row = await db.scalar(select(Pipeline).where(Pipeline.name == name))
    if row is None:
        raise HTTPException(404, "no such pipeline")
    return row


@app.get("/pipelines", response_model=list[PipelinePage])
async def list_page(db: Db, limit: Annotated[int, Query(ge=1, le=500)] = 100, offset: int = 0) -> Any:
    """List a page of pipelines in the order of their names."""
    return (await db.scalars(select(Pipeline).order_by(Pipeline.name).limit(limit).offset(offset))).all()


@app.delete("/pipelines/{name}", status_code=204)
async def remove(name: str, db: Db) -> Response:
    """Delete one pipeline."""
    found = await db.scalar(delete(Pipeline).where(Pipeline.name == name).returning(Pipeline.id))
    await db.commit()
    if found is None:
        raise HTTPException(404, "no such pipeline")
    return Response(status_code=204)
