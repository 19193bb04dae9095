-- Planned time that was lost, by reason, machine, shift and day. Without a calendar, the day is that of the site's clock.
CREATE VIEW bi.downtime AS
SELECT part.machine_id, coalesce(part.shift_date, (part.starts_at AT TIME ZONE site.time_zone)::date) AS production_date,
    part.shift_id, part.category, part.reason_id, reason.code AS reason, reason.name AS reason_name,
    sum(part.microseconds) AS time_us, sum(part.occurrences) AS occurrences
FROM oee_hourreason part
JOIN enterprise_machine machine ON machine.id = part.machine_id
JOIN enterprise_line line ON line.id = machine.line_id
JOIN enterprise_area area ON area.id = line.area_id
JOIN enterprise_site site ON site.id = area.site_id
LEFT JOIN downtime_statereason reason ON reason.id = part.reason_id
WHERE part.calendar = 'scheduled' AND part.category <> 'running'
GROUP BY 1, 2, 3, 4, 5, 6, 7
