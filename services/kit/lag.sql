-- name: read_unpublished^
-- How many events of a partition are behind a position, counted up to a bound, and where the log ends now.
SELECT (
    SELECT count(*) FROM (
        SELECT 1 FROM event_log
        WHERE partition = :partition AND (log_offset, log_index) > (:log_offset, :log_index)
        LIMIT :at_most
    ) AS behind
) AS unpublished, last.log_offset, last.log_index
FROM (SELECT) AS one
LEFT JOIN LATERAL (
    SELECT log_offset, log_index FROM event_log
    WHERE partition = :partition
    ORDER BY log_offset DESC, log_index DESC
    LIMIT 1
) AS last ON true;
