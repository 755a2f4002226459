DROP TABLE passage_texts, replay_turns, replays, golden_threads;
