DROP TABLE webhook_deleted;
