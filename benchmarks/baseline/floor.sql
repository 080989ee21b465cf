-- name: make_table#
CREATE TABLE IF NOT EXISTS floor (name text PRIMARY KEY, document text NOT NULL);

-- name: put!
INSERT INTO floor (name, document) VALUES (:name, :document);

-- name: remove!
DELETE FROM floor WHERE name = :name;

-- name: find$
SELECT document FROM floor WHERE name = :name;

-- name: list_page$
SELECT '[' || string_agg(document, ',') || ']' FROM (SELECT document FROM floor ORDER BY name LIMIT 100) AS page;
