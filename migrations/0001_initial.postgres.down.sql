DROP TABLE auditsubject;
DROP TABLE auditlog;
DROP TABLE blindindex;
DROP TABLE patient;
DROP TABLE idempotencykey;
DROP TABLE session;
DROP TABLE account;
DROP TABLE keyset;
