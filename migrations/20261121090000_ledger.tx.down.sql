DROP TABLE deliveries, turn_steps, turns, dispatches, events, messages, threads, sessions, contacts, articles, widgets, agents,
    idempotent_answers, api_keys, portal_sessions, users, organisations;
