"""Reports on paper: the customer's own workbook, filled."""
