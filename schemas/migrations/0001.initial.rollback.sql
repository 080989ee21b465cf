DROP TABLE relay_position, dead_letter, event_log, environment_head, inbox, partition_cursor,
    deployment, pipeline, step, sdk_token, app_user, environment;
