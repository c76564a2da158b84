-- Some rows as 0005 makes them.

UPDATE edition SET sub_customers = TRUE, switched = 6 WHERE change = 1;
