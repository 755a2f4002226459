-- What the sweep looks through: few threads at any time.
CREATE INDEX threads_unanswered ON threads (last_message_at) WHERE handling = 'agent' AND last_inbound > answered;
