-- One line is one event: equal lines are separate events, so the number of the row is the id. A line without a customer
-- belongs to no account and is kept as rejected. Quantities of cancellations are negative; prices have up to 3 places.
SELECT CAST(lines._row AS VARCHAR) AS id, 'online-retail' AS source, 'invoice.line' AS type,
       REPLACE(lines.CustomerID, '.0', '') AS account, lines.InvoiceDate AS time,
       lines.StockCode AS product, lines.InvoiceNo AS invoice,
       CAST(lines.Quantity AS DECIMAL(18, 0)) * CAST(lines.UnitPrice AS DECIMAL(18, 3)) AS value
FROM lines
