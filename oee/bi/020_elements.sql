-- One row for each part of a machine's hour in which calendar, shift, run and ideal rate stay the same; the policy that the
-- site had then is applied. Times in µs, ideal times in s, quantities in pieces, all exact. The other views are sums of this.
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
), begun AS (
    SELECT policy.*, coalesce(
        date_trunc('hour', policy.valid_from::timestamp AT TIME ZONE site.time_zone, 'UTC'), '-infinity') AS holds_from
    FROM oee_oeepolicy policy JOIN enterprise_site site ON site.id = policy.site_id
), policy AS (
    SELECT begun.*, lead(holds_from, 1, 'infinity') OVER (PARTITION BY site_id ORDER BY holds_from) AS holds_until
    FROM begun
), slice AS (
    SELECT part.*, cycle.seconds AS cycle_s,
        part.calendar = 'scheduled' AS is_scheduled,
        coalesce(policy.changeover, 'availability_loss') = 'availability_loss' AS setup_is_loss,
        coalesce(policy.micro_stops, 'performance') = 'performance' AS micro_is_speed,
        coalesce(policy.no_data, 'exclude') = 'availability_loss' AS unknown_is_loss,
        CASE WHEN part.calendar = 'on_break' THEN coalesce(policy.breaks, 'planned') END AS breaks,
        CASE WHEN policy.startup_rejects = 'exclude' THEN part.startup_reject ELSE 0 END AS left_out,
        part.calendar <> 'scheduled' AND coalesce(policy.overtime, 'count') = 'exclude' AS is_excluded,
        coalesce(scheme.counts_total, FALSE) AS counts_total, coalesce(scheme.counts_good, FALSE) AS counts_good,
        part.running + part.unplanned + part.planned + part.changeover + part.not_scheduled + part.no_data
            + part.micro_stop AS all_us
    FROM oee_hourslice part
    JOIN enterprise_machine machine ON machine.id = part.machine_id
    JOIN enterprise_line line ON line.id = machine.line_id
    JOIN enterprise_area area ON area.id = line.area_id
    LEFT JOIN policy ON policy.site_id = area.site_id AND part.starts_at >= policy.holds_from
        AND part.starts_at < policy.holds_until
    LEFT JOIN scheme ON scheme.machine_id = part.machine_id
    LEFT JOIN cycle ON cycle.rate_id = part.rate_id
), produced AS (
    SELECT slice.*, CASE WHEN is_excluded THEN 0 ELSE running END AS production_us,
        CASE WHEN counts_total THEN total ELSE good + reject + rework END - left_out AS produced_pc,
        CASE WHEN counts_total AND NOT counts_good THEN total - reject - rework ELSE good END AS good_pc
    FROM slice
), paused AS (
    -- Running that is left out is neither production nor a stop.
    SELECT produced.*, CASE breaks WHEN 'planned' THEN all_us - production_us
        WHEN 'availability_loss' THEN running - production_us ELSE 0 END AS break_us
    FROM produced
), element AS (
    SELECT machine_id, starts_at, calendar, shift_id, shift_date, run_id, rate_id, has_data, cycle_s,
        production_us AS actual_production_time_us,
        CASE WHEN is_scheduled AND micro_is_speed THEN micro_stop ELSE 0 END AS minor_stop_time_us,
        CASE WHEN is_scheduled AND setup_is_loss THEN changeover ELSE 0 END AS actual_unit_setup_time_us,
        CASE WHEN is_scheduled THEN unplanned + CASE WHEN micro_is_speed THEN 0 ELSE micro_stop END
            WHEN breaks = 'availability_loss' THEN all_us - running ELSE 0 END AS actual_unit_delay_time_us,
        CASE WHEN is_scheduled THEN planned + CASE WHEN setup_is_loss THEN 0 ELSE changeover END
            ELSE break_us END AS planned_downtime_us,
        break_us AS break_time_us,
        CASE WHEN is_scheduled THEN not_scheduled
            WHEN breaks IN ('planned', 'availability_loss') THEN 0 ELSE all_us - production_us END AS unscheduled_time_us,
        CASE WHEN is_scheduled AND NOT unknown_is_loss THEN no_data ELSE 0 END AS no_data_time_us,
        CASE WHEN is_scheduled AND unknown_is_loss THEN no_data ELSE 0 END AS no_data_loss_time_us,
        CASE WHEN is_excluded THEN 0 ELSE produced_pc END AS produced_quantity,
        CASE WHEN is_excluded THEN 0 ELSE good_pc END AS good_quantity,
        CASE WHEN is_excluded THEN 0 ELSE reject - left_out END AS scrap_quantity,
        CASE WHEN is_excluded THEN 0 ELSE startup_reject - left_out END AS startup_scrap_quantity,
        CASE WHEN is_excluded THEN 0 ELSE rework END AS rework_quantity,
        CASE WHEN is_excluded THEN 0 ELSE infeed END AS infeed_quantity
    FROM paused
), busy AS (
    SELECT element.*, actual_production_time_us + minor_stop_time_us AS time_for_production_us,
        actual_production_time_us + minor_stop_time_us + actual_unit_setup_time_us + actual_unit_delay_time_us
            + no_data_loss_time_us AS planned_busy_time_us
    FROM element
)
SELECT machine_id, starts_at, calendar, shift_id, shift_date, run_id, rate_id, has_data,
    actual_production_time_us, minor_stop_time_us, time_for_production_us, actual_unit_setup_time_us,
    actual_unit_delay_time_us, no_data_loss_time_us, planned_busy_time_us, planned_downtime_us, break_time_us,
    unscheduled_time_us, no_data_time_us,
    produced_quantity, good_quantity, scrap_quantity, startup_scrap_quantity, rework_quantity, infeed_quantity,
    CASE WHEN has_data THEN coalesce(produced_quantity * cycle_s, 0) ELSE 0 END AS ideal_time_s,
    CASE WHEN has_data THEN coalesce(good_quantity * cycle_s, 0) ELSE 0 END AS ideal_time_of_good_s,
    CASE WHEN has_data AND cycle_s IS NULL THEN produced_quantity ELSE 0 END AS quantity_without_rate,
    CASE WHEN cycle_s IS NULL THEN planned_busy_time_us + no_data_time_us ELSE 0 END AS planned_time_without_rate_us
FROM busy
