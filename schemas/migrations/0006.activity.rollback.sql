DROP TABLE activity_part, activity_progress, activity_minute, activity;
