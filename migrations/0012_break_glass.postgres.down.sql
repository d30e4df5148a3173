DROP TABLE breakglass;
