DROP TABLE carerelationship;
