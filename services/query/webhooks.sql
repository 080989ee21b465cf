-- name: list_webhooks
SELECT * FROM webhook WHERE environment = :environment ORDER BY id;

-- name: find_webhook^
SELECT * FROM webhook WHERE environment = :environment AND id = :id;

-- name: list_deliveries
-- A page of a webhook's deliveries, the newest event first.
SELECT * FROM webhook_delivery WHERE webhook_id = :id AND sequence < :before
ORDER BY sequence DESC LIMIT :page_size;

-- name: list_deliveries_that_are
-- A page of a webhook's deliveries of one status, the newest event first.
SELECT * FROM webhook_delivery WHERE webhook_id = :id AND status = :status AND sequence < :before
ORDER BY sequence DESC LIMIT :page_size;
