-- migrate:no-transaction
-- Indexes for reports on what is rare: nothing of an ordinary request is in them, so that it costs no more than before.
CREATE INDEX CONCURRENTLY IF NOT EXISTS auditlog_action_idx ON auditlog (action, id) WHERE action NOT IN ('read', 'list', 'search', 'create', 'update');
CREATE INDEX CONCURRENTLY IF NOT EXISTS auditlog_outcome_idx ON auditlog (outcome, id) WHERE outcome <> 'success';
CREATE INDEX CONCURRENTLY IF NOT EXISTS auditlog_origin_idx ON auditlog (origin, id) WHERE origin <> 'api';
