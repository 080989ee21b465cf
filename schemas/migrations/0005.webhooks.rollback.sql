DROP TABLE webhook_deleted;
DROP TABLE webhook_delivery;
DROP TABLE webhook;
