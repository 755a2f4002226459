package widget

import (
	"context"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/handlers/dialect"
	"github.com/parley-chat/parley/handlers/edge"
)

// Run sees off whoever is connected to a widget that was switched off, or by a session that has ended, on whatever node that
// happened: for all connections together with one query now and then. It returns when ctx ends.
func (s *Surface) Run(ctx context.Context) error {
	return edge.Patrol(ctx, s.limits.LookEvery, s.log, "cannot see whose session has ended", s.look)
}

func (s *Surface) look(ctx context.Context) error {
	present := s.guests.present()
	if len(present) == 0 {
		return nil
	}
	widgets, sessions := map[string]bool{}, map[domain.SessionID]bool{}
	for _, p := range present {
		if p.session != "" { // else a guest who comes with no widget and asks for several
			widgets[p.widget], sessions[p.session] = false, false
		}
	}
	if err := s.chat.Living(ctx, widgets, sessions); err != nil {
		return err
	}
	for _, p := range present {
		switch {
		case p.session == "":
		case !widgets[p.widget]:
			p.ask(dismissal(dialect.Disabled))
		case !sessions[p.session]:
			p.ask(dismissal(dialect.Expired))
		}
	}
	return nil
}
