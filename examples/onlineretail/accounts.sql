-- A customer who bought from two countries is of the first by name.
SELECT REPLACE(CustomerID, '.0', '') AS key, MIN(Country) AS segment
FROM lines WHERE CustomerID IS NOT NULL AND CustomerID <> '' GROUP BY CustomerID ORDER BY CustomerID
