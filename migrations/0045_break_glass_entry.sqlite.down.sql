DROP TABLE breakglassentry;
