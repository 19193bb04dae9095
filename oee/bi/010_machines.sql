-- Machines with their places. A line's OEE is the sum of the machines that stand for it.
CREATE VIEW bi.machines AS
SELECT machine.id AS machine_id, machine.code AS machine, machine.name AS machine_name, machine.is_active,
    line.id AS line_id, line.code AS line, line.name AS line_name,
    area.code AS area, area.name AS area_name,
    site.id AS site_id, site.code AS site, site.name AS site_name, site.time_zone,
    enterprise.code AS enterprise, enterprise.name AS enterprise_name,
    machine.is_active AND CASE
        WHEN line.oee_mode = 'weighted' THEN TRUE
        WHEN line.oee_mode = 'constraint' AND bool_or(machine.is_constraint AND machine.is_active) OVER of_line
            THEN machine.is_constraint
        ELSE machine.id = last_value(machine.id) OVER (
            PARTITION BY line.id, machine.is_active ORDER BY machine.position, machine.id
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
    END AS stands_for_line
FROM enterprise_machine machine
JOIN enterprise_line line ON line.id = machine.line_id
JOIN enterprise_area area ON area.id = line.area_id
JOIN enterprise_site site ON site.id = area.site_id
JOIN enterprise_enterprise enterprise ON enterprise.id = site.enterprise_id
WINDOW of_line AS (PARTITION BY line.id)
