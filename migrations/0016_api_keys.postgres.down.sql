DROP TABLE apikeyuse;
DROP TABLE apikey;
