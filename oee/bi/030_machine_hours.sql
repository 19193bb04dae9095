-- OEE of each machine in each stored UTC hour, with the sums that it follows from.
CREATE VIEW bi.machine_hours AS
SELECT summed.*,
    bi.availability(time_for_production_us, planned_busy_time_us) AS availability,
    bi.performance(ideal_time_s, time_for_production_us, actual_production_time_us, produced_quantity,
        quantity_without_rate, planned_time_without_rate_us) AS performance,
    bi.quality(ideal_time_of_good_s, ideal_time_s, good_quantity, produced_quantity, quantity_without_rate) AS quality,
    bi.oee(ideal_time_of_good_s, planned_busy_time_us, actual_production_time_us, produced_quantity,
        quantity_without_rate, planned_time_without_rate_us) AS oee
FROM (
    SELECT machine_id, starts_at,
        sum(actual_production_time_us) AS actual_production_time_us,
        sum(minor_stop_time_us) AS minor_stop_time_us,
        sum(time_for_production_us) AS time_for_production_us,
        sum(actual_unit_setup_time_us) AS actual_unit_setup_time_us,
        sum(actual_unit_delay_time_us) AS actual_unit_delay_time_us,
        sum(no_data_loss_time_us) AS no_data_loss_time_us,
        sum(planned_busy_time_us) AS planned_busy_time_us,
        sum(planned_downtime_us) AS planned_downtime_us,
        sum(break_time_us) AS break_time_us,
        sum(unscheduled_time_us) AS unscheduled_time_us,
        sum(no_data_time_us) AS no_data_time_us,
        sum(produced_quantity) AS produced_quantity,
        sum(good_quantity) AS good_quantity,
        sum(scrap_quantity) AS scrap_quantity,
        sum(startup_scrap_quantity) AS startup_scrap_quantity,
        sum(rework_quantity) AS rework_quantity,
        sum(infeed_quantity) AS infeed_quantity,
        sum(ideal_time_s) AS ideal_time_s,
        sum(ideal_time_of_good_s) AS ideal_time_of_good_s,
        sum(quantity_without_rate) AS quantity_without_rate,
        sum(planned_time_without_rate_us) AS planned_time_without_rate_us
    FROM bi.elements GROUP BY machine_id, starts_at
) summed
