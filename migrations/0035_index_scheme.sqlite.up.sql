-- How tokens are made is kept beside their key, so that a program that makes them otherwise does not miss patients.

ALTER TABLE `keyset` ADD COLUMN `index_scheme` text NULL;
