"""What comes with a step beside its fields: the archive of its source, checked and kept, and a key, sealed."""

import asyncio
from typing import Any

import structlog
from starlette.datastructures import UploadFile

from events.refusals import Code, Refused
from events.secrets import DEPLOY_KEY, REPOSITORY, has_credentials
from services.kit.archives import BadArchive, Flaw, check_archive, limits_of
from services.kit.objects import ObjectStore, StoreTrouble
from services.kit.sealing import Sealer, deploy_key_context
from services.kit.settings import ObjectsSettings

CHECKS_AT_ONCE = 2
CODES = {
    Flaw.BROKEN: Code.INVALID_ARCHIVE,
    Flaw.UNSAFE: Code.UNSAFE_ARCHIVE,
    Flaw.TOO_LARGE: Code.ARCHIVE_TOO_LARGE,
}

log = structlog.get_logger()


class Sources:
    """Keeps uploaded sources in the object store, and seals the keys to others."""

    def __init__(self, settings: ObjectsSettings, objects: ObjectStore, sealer: Sealer) -> None:
        self._limits = limits_of(settings)
        self._objects = objects
        self._sealer = sealer
        self._checks = asyncio.Semaphore(CHECKS_AT_ONCE)
        self.max_upload_bytes = settings.max_upload_bytes

    async def keep(self, archive: UploadFile) -> str:
        """Check an archive and keep it; return the name that it is kept under.

        Raises Refused: invalid_archive, unsafe_archive, archive_too_large, store_unavailable.
        """
        async with self._checks:
            try:
                return await asyncio.to_thread(self._keep, archive)
            except BadArchive as bad:
                raise Refused(CODES[bad.flaw], str(bad)) from bad
            except StoreTrouble as error:
                log.warning("an uploaded source could not be kept", error=str(error))
                raise Refused(
                    Code.STORE_UNAVAILABLE, "The source cannot be kept right now; nothing was sent. Try again."
                ) from error

    def sealed(self, fields: dict[str, Any], environment: str, step_name: object) -> dict[str, Any]:
        """Return `fields` with the deploy key sealed; what only we may say of a step is not taken from its request."""
        ours: dict[str, str | None] = {"source": None, "sealed_deploy_key": None}
        config = fields.get("container_config")
        if not isinstance(config, dict):
            return {**fields, **ours}
        if has_credentials(config.get(REPOSITORY)):
            raise Refused(
                Code.SECRET_IN_THE_CLEAR,
                f"container_config.{REPOSITORY} holds a password or a token, which readers of the step would see; "
                f"nothing was sent. Leave it out, and give a {DEPLOY_KEY} and an ssh address instead.",
            )
        told = {name: value for name, value in config.items() if name != DEPLOY_KEY}
        key = config.get(DEPLOY_KEY)
        if key and isinstance(key, str):
            ours["sealed_deploy_key"] = self._sealer.seal(key, context=deploy_key_context(environment, step_name))
        elif key is not None and key != "":
            raise Refused(Code.INVALID_BODY, f"container_config.{DEPLOY_KEY} must be text.")
        return {**fields, **ours, "container_config": told}

    def _keep(self, archive: UploadFile) -> str:
        archive.file.seek(0)
        check_archive(archive.file, archive.size or 0, self._limits)
        return self._objects.put(archive.file)
