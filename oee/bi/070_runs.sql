-- Runs with what the machines that stand for their line produced in them, and the OEE of it, as far as hours are stored.
CREATE VIEW bi.runs AS
SELECT run.id AS run_id, line.code AS line, work_order.order_number, product.code AS product, run.started_at, run.ended_at,
    summed.actual_production_time_us,
    summed.minor_stop_time_us,
    summed.time_for_production_us,
    summed.actual_unit_setup_time_us,
    summed.actual_unit_delay_time_us,
    summed.no_data_loss_time_us,
    summed.planned_busy_time_us,
    summed.planned_downtime_us,
    summed.break_time_us,
    summed.unscheduled_time_us,
    summed.no_data_time_us,
    summed.produced_quantity,
    summed.good_quantity,
    summed.scrap_quantity,
    summed.startup_scrap_quantity,
    summed.rework_quantity,
    summed.infeed_quantity,
    summed.ideal_time_s,
    summed.ideal_time_of_good_s,
    summed.quantity_without_rate,
    summed.planned_time_without_rate_us,
    bi.availability(time_for_production_us, planned_busy_time_us) AS availability,
    bi.performance(ideal_time_s, time_for_production_us, actual_production_time_us, produced_quantity,
        quantity_without_rate, planned_time_without_rate_us) AS performance,
    bi.quality(ideal_time_of_good_s, ideal_time_s, good_quantity, produced_quantity, quantity_without_rate) AS quality,
    bi.oee(ideal_time_of_good_s, planned_busy_time_us, actual_production_time_us, produced_quantity,
        quantity_without_rate, planned_time_without_rate_us) AS oee
FROM workorders_run run
JOIN enterprise_line line ON line.id = run.line_id
JOIN workorders_workorder work_order ON work_order.id = run.work_order_id
LEFT JOIN products_product product ON product.id = work_order.product_id
LEFT JOIN (
    SELECT run_id,
        sum(element.actual_production_time_us) AS actual_production_time_us,
        sum(element.minor_stop_time_us) AS minor_stop_time_us,
        sum(element.time_for_production_us) AS time_for_production_us,
        sum(element.actual_unit_setup_time_us) AS actual_unit_setup_time_us,
        sum(element.actual_unit_delay_time_us) AS actual_unit_delay_time_us,
        sum(element.no_data_loss_time_us) AS no_data_loss_time_us,
        sum(element.planned_busy_time_us) AS planned_busy_time_us,
        sum(element.planned_downtime_us) AS planned_downtime_us,
        sum(element.break_time_us) AS break_time_us,
        sum(element.unscheduled_time_us) AS unscheduled_time_us,
        sum(element.no_data_time_us) AS no_data_time_us,
        sum(element.produced_quantity) AS produced_quantity,
        sum(element.good_quantity) AS good_quantity,
        sum(element.scrap_quantity) AS scrap_quantity,
        sum(element.startup_scrap_quantity) AS startup_scrap_quantity,
        sum(element.rework_quantity) AS rework_quantity,
        sum(element.infeed_quantity) AS infeed_quantity,
        sum(element.ideal_time_s) AS ideal_time_s,
        sum(element.ideal_time_of_good_s) AS ideal_time_of_good_s,
        sum(element.quantity_without_rate) AS quantity_without_rate,
        sum(element.planned_time_without_rate_us) AS planned_time_without_rate_us
    FROM bi.elements element JOIN bi.machines machine USING (machine_id)
    WHERE element.run_id IS NOT NULL AND machine.stands_for_line GROUP BY run_id
) summed ON summed.run_id = run.id
