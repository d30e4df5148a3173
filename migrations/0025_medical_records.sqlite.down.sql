DROP TABLE riskflag;
DROP TABLE disclosure;
DROP TABLE consent;
DROP TABLE medicalrecord;
