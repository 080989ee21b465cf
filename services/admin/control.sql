-- name: create_environment$
-- Create an environment; nothing when it exists.
INSERT INTO environment (id) VALUES (:environment) ON CONFLICT DO NOTHING RETURNING id;

-- name: list_environments
SELECT id, created_at FROM environment ORDER BY id;

-- name: create_user$
-- Create a user; nothing when there is one of that name.
INSERT INTO app_user (id, name, email) VALUES (:user_id, :name, :email) ON CONFLICT (name) DO NOTHING RETURNING id;

-- name: find_user^
SELECT id, email FROM app_user WHERE name = :name;

-- name: list_users
SELECT id, name, email, created_at FROM app_user ORDER BY name COLLATE "C";

-- name: create_token!
INSERT INTO sdk_token (id, token_hash, environment, user_id)
SELECT :token_id, :token_hash, :environment, id FROM app_user WHERE name = :user_name;

-- name: has_environment$
SELECT EXISTS (SELECT FROM environment WHERE id = :environment);

-- name: list_tokens
-- The tokens of an environment, never the secrets themselves.
SELECT t.id, t.environment, u.name AS user_name, t.created_at, t.revoked_at
FROM sdk_token t CROSS JOIN LATERAL (SELECT name FROM app_user WHERE id = t.user_id OFFSET 0) u
WHERE t.environment = :environment ORDER BY t.created_at;

-- name: revoke_token$
-- End a token; the ones already exchanged for access tokens end within their life.
UPDATE sdk_token SET revoked_at = now() WHERE id = :token_id AND revoked_at IS NULL RETURNING id;
