package chat

import "time"

// TypingFor sets for how long a person counts as writing, before anybody does.
func (s *Service) TypingFor(d time.Duration) { s.pens.lasts = d }
