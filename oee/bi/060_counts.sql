-- Pieces as they were counted, by machine and stored UTC hour; no policy, no scheme.
CREATE VIEW bi.counts AS
SELECT machine_id, starts_at, sum(good) AS good, sum(reject) AS reject, sum(rework) AS rework, sum(infeed) AS infeed,
    sum(total) AS total
FROM oee_hourslice GROUP BY machine_id, starts_at
