DROP TABLE availability;
DROP TABLE appointment;
DROP TABLE appointmentseries;
