-- Orders with what their runs produced, as far as hours are stored.
CREATE VIEW bi.orders AS
SELECT work_order.id AS order_id, work_order.order_number, line.code AS line, product.code AS product, work_order.status,
    work_order.target_quantity, work_order.planned_start_at, work_order.planned_end_at,
    min(run.started_at) AS started_at,
    CASE WHEN bool_and(run.ended_at IS NOT NULL) THEN max(run.ended_at) END AS ended_at,
    count(run.run_id) AS runs, sum(run.produced_quantity) AS produced_quantity, sum(run.good_quantity) AS good_quantity,
    sum(run.scrap_quantity) AS scrap_quantity, sum(run.rework_quantity) AS rework_quantity
FROM workorders_workorder work_order
JOIN enterprise_line line ON line.id = work_order.line_id
LEFT JOIN products_product product ON product.id = work_order.product_id
LEFT JOIN bi.runs run ON run.order_number = work_order.order_number
GROUP BY work_order.id, line.code, product.code
