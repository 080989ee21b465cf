-- name: find_step^
-- A step as its readers get it, with what tells how its build went.
SELECT document, version, status FROM step WHERE environment = :environment AND name = :name;
