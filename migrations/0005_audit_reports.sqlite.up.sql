-- Indexes for reports on what is rare: nothing of an ordinary request is in them, so that it costs no more than before.
CREATE INDEX auditlog_action_idx ON auditlog (action, id) WHERE action NOT IN ('read', 'list', 'search', 'create', 'update');
CREATE INDEX auditlog_outcome_idx ON auditlog (outcome, id) WHERE outcome <> 'success';
CREATE INDEX auditlog_origin_idx ON auditlog (origin, id) WHERE origin <> 'api';
