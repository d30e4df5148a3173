DROP TRIGGER blindindex_witness_truncate ON blindindex;
DROP TRIGGER blindindex_witness_delete ON blindindex;
DROP TRIGGER blindindex_witness_update ON blindindex;
DROP TRIGGER blindindex_witness_insert ON blindindex;
DROP TRIGGER patient_witness_truncate ON patient;
DROP TRIGGER patient_witness_delete ON patient;
DROP TRIGGER patient_witness_update ON patient;
DROP TRIGGER patient_witness_insert ON patient;
DROP TRIGGER auditlog_enqueue ON auditlog;
DROP TRIGGER auditsubject_append_only_truncate ON auditsubject;
DROP TRIGGER auditsubject_append_only ON auditsubject;
DROP TRIGGER auditlog_append_only_truncate ON auditlog;
DROP TRIGGER auditlog_append_only ON auditlog;
DROP TABLE auditwitness;
DROP TABLE auditcheckpoint;
DROP TABLE audittile;
DROP TABLE auditleaf;
DROP TABLE auditoutbox;
DROP FUNCTION audit_witness_tokens_delete();
DROP FUNCTION audit_witness_tokens_update();
DROP FUNCTION audit_witness_tokens_insert();
DROP FUNCTION audit_witness_truncate();
DROP FUNCTION audit_witness_delete();
DROP FUNCTION audit_witness_update();
DROP FUNCTION audit_witness_insert();
DROP FUNCTION audit_row_digest(jsonb);
DROP FUNCTION audit_enqueue();
DROP FUNCTION audit_tile_grows();
DROP FUNCTION audit_append_only();
ALTER TABLE auditsubject DROP COLUMN row_digest, DROP COLUMN row_version, DROP COLUMN entity_type;
ALTER TABLE auditlog
    DROP COLUMN mac, DROP COLUMN nonce, DROP COLUMN diff, DROP COLUMN data_category, DROP COLUMN purpose, DROP COLUMN route,
    DROP COLUMN address, DROP COLUMN api_key_id, DROP COLUMN session_id, DROP COLUMN on_behalf_of, DROP COLUMN actor_roles,
    DROP COLUMN transaction_id;
