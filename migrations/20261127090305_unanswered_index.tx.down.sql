DROP INDEX threads_unanswered;
