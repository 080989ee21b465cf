"""Access tokens that say what a test wants."""

from typing import Any

import jwt

from services.kit.settings import AuthSettings
from services.kit.tokens import Identity, Tokens
from tests.acceptance.stack import Stack
from tests.acceptance.tenant import Tenant


def claims(tenant: Tenant, **changes: Any) -> dict[str, Any]:
    """Return what the tenant's access token says, with changes; None leaves a claim out."""
    token = tenant.http.headers["Authorization"].removeprefix("Bearer ")
    said = jwt.decode(token, options={"verify_signature": False}) | changes
    return {name: value for name, value in said.items() if value is not None}


def expired_token(stack: Stack, tenant: Tenant) -> str:
    """Return an access token of the tenant that was right, and has expired."""
    # Built past the limits of the setting, so that the token has expired when it is made.
    settings = AuthSettings.model_construct(signing_key_file=stack.signing_key_file, access_token_life_s=-1)
    return Tokens(settings).access_token(Identity(claims(tenant)["sub"], tenant.environment))
