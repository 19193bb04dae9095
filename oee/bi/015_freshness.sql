-- Up to when each machine's hours are stored, and whether something changed that is not worked in yet.
CREATE VIEW bi.freshness AS
SELECT machine.id AS machine_id, stored.computed_from, stored.computed_until,
    EXISTS (SELECT FROM core_changedspan WHERE subject_id = machine.id) AS changes_pending
FROM enterprise_machine machine LEFT JOIN LATERAL (
    SELECT min(starts_at) AS computed_from, max(starts_at) + interval '1 hour' AS computed_until
    FROM oee_computedhour WHERE machine_id = machine.id
) stored ON TRUE
