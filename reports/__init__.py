"""Reports that leave the building: pages, PDF, Excel, CSV, mail; the customer's own workbook, filled."""
