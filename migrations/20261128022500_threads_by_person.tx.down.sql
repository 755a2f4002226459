DROP INDEX threads_agent;
DROP INDEX threads_assignee;
