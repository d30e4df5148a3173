DROP INDEX auditlog_origin_idx;
DROP INDEX auditlog_outcome_idx;
DROP INDEX auditlog_action_idx;
