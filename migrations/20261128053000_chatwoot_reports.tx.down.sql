DROP TABLE chatwoot_reports;
