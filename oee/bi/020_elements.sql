-- One row for each part of a machine's hour in which calendar, shift, run and ideal rate stay the same; the site's policies
-- are applied. Times in µs, ideal times in s, quantities in pieces, all exact. The other views are sums of this one.
CREATE VIEW bi.elements AS
WITH scheme AS (
    SELECT tag.machine_id, bool_or(kind.role = 'total') AS counts_total, bool_or(kind.role = 'good') AS counts_good
    FROM counts_counttag tag JOIN counts_counttype kind ON kind.id = tag.count_type_id GROUP BY tag.machine_id
), cycle AS (
    SELECT id AS rate_id, CASE unit
        WHEN 's/pc' THEN value WHEN 'min/pc' THEN value * 60 WHEN 'h/pc' THEN value * 3600
        WHEN 'pc/s' THEN round(1, 40) / value WHEN 'pc/min' THEN round(60, 40) / value
        WHEN 'pc/h' THEN round(3600, 40) / value END AS seconds
    FROM products_idealrate
), slice AS (
    SELECT part.*, cycle.seconds AS cycle_s,
        part.calendar = 'scheduled' AS is_scheduled,
        coalesce(policy.changeover, 'availability_loss') = 'availability_loss' AS changeover_is_loss,
        part.calendar <> 'scheduled' AND coalesce(policy.overtime, 'count') = 'exclude' AS is_excluded,
        coalesce(scheme.counts_total, FALSE) AS counts_total, coalesce(scheme.counts_good, FALSE) AS counts_good,
        part.running + part.unplanned + part.planned + part.changeover + part.not_scheduled + part.no_data AS all_us
    FROM oee_hourslice part
    JOIN enterprise_machine machine ON machine.id = part.machine_id
    JOIN enterprise_line line ON line.id = machine.line_id
    JOIN enterprise_area area ON area.id = line.area_id
    LEFT JOIN oee_oeepolicy policy ON policy.site_id = area.site_id
    LEFT JOIN scheme ON scheme.machine_id = part.machine_id
    LEFT JOIN cycle ON cycle.rate_id = part.rate_id
), element AS (
    SELECT slice.*,
        CASE WHEN is_excluded THEN 0 ELSE running END AS production_us,
        CASE WHEN is_scheduled AND changeover_is_loss THEN changeover ELSE 0 END AS setup_us,
        CASE WHEN is_scheduled THEN unplanned ELSE 0 END AS delay_us,
        CASE WHEN is_scheduled THEN no_data ELSE 0 END AS no_data_us,
        CASE WHEN is_excluded THEN 0 WHEN NOT counts_total THEN good + reject + rework ELSE total END AS produced_pc,
        CASE WHEN is_excluded THEN 0 WHEN counts_total AND NOT counts_good THEN total - reject - rework ELSE good END
            AS good_pc
    FROM slice
)
SELECT machine_id, starts_at, calendar, shift_id, shift_date, run_id, rate_id, has_data,
    production_us AS actual_production_time_us,
    setup_us AS actual_unit_setup_time_us,
    delay_us AS actual_unit_delay_time_us,
    CASE calendar WHEN 'on_break' THEN all_us - production_us WHEN 'unscheduled' THEN 0
        ELSE planned + CASE WHEN changeover_is_loss THEN 0 ELSE changeover END END AS planned_downtime_us,
    CASE calendar WHEN 'unscheduled' THEN all_us - production_us WHEN 'on_break' THEN 0 ELSE not_scheduled END
        AS unscheduled_time_us,
    no_data_us AS no_data_time_us,
    production_us + setup_us + delay_us AS planned_busy_time_us,
    produced_pc AS produced_quantity, good_pc AS good_quantity,
    CASE WHEN is_excluded THEN 0 ELSE reject END AS scrap_quantity,
    CASE WHEN is_excluded THEN 0 ELSE rework END AS rework_quantity,
    CASE WHEN is_excluded THEN 0 ELSE infeed END AS infeed_quantity,
    CASE WHEN has_data THEN coalesce(produced_pc * cycle_s, 0) ELSE 0 END AS ideal_time_s,
    CASE WHEN has_data THEN coalesce(good_pc * cycle_s, 0) ELSE 0 END AS ideal_time_of_good_s,
    CASE WHEN has_data AND cycle_s IS NULL THEN produced_pc ELSE 0 END AS quantity_without_rate,
    CASE WHEN cycle_s IS NULL THEN production_us + setup_us + delay_us + no_data_us ELSE 0 END
        AS planned_time_without_rate_us
FROM element
