-- SQLite's checks count nothing: they stay.
SELECT 1;
