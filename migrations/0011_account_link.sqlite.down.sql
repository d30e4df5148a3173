DROP TABLE accountlink;
