package chat

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// A contact's line that nobody waits for the answer to is written down as it was reported, and recorded in its thread right after: in a
// crowd it is acknowledged in between. Whoever records kept reports goes through each conversation in order, and each is recorded once
// however often it is tried: two that do so at once, on whichever nodes, disturb nobody.

const (
	reportsAtOnce = 64
	reportsCrowd  = 8                // beside a crowd
	reportsSweep  = 15 * time.Second // finds what another node has left
	reportsRetry  = time.Second      // after a failure; of a conversation, after a refusal
	reportWait    = 2 * time.Second  // for one to be recorded, where there is no crowd
)

// keptLine is what is kept of a contact's line.
type keptLine struct {
	Agent   domain.AgentID
	Contact ledger.Identifiers
	Content string
	Payload json.RawMessage
}

// chatwootKept keeps a contact's line, and waits for it to be recorded, unless there is a crowd or what one has left is still before it.
func (s *Service) chatwootKept(ctx context.Context, l Chatwooted) (ChatwootRecorded, error) {
	line, err := json.Marshal(keptLine{l.Agent, l.Contact, clip(l.Content), l.Payload})
	if err != nil {
		return ChatwootRecorded{}, err
	}
	r := ledger.ChatwootReport{Event: ledger.NewID[domain.EventID](), Place: l.Place, Conversation: l.Conversation, ExternalID: l.ExternalID, Line: line}
	recorded, done := s.reports.awaits(r.Event)
	defer done()
	kept, err := s.ledger.KeepChatwootReport(ctx, r)
	if err != nil {
		return ChatwootRecorded{}, err
	}
	if !kept {
		l.Place.Waits = true // maybe with the report that came before this one
		return s.chatwootRecorded(ctx, l, "")
	}
	s.reports.wake()
	if !s.reports.late() {
		select {
		case r := <-recorded:
			return r, nil
		case <-s.ledger.Crowd():
		case <-time.After(reportWait):
		case <-ctx.Done():
		}
	}
	s.reports.leave(r.Event)
	return ChatwootRecorded{Event: r.Event}, nil
}

// RecordReports records what is kept of Chatwoot's reports until ctx ends.
func (s *Service) RecordReports(ctx context.Context) error {
	next := time.NewTimer(0)
	defer next.Stop()
	until := map[string]time.Time{} // conversations of which something was refused, and until when they wait
	for {
		err := s.recordKept(ctx, until)
		kept, wait := s.reports.kept, reportsSweep
		switch {
		case err != nil && ctx.Err() == nil:
			s.log.WarnContext(ctx, "could not record what Chatwoot has reported, it is tried again", "err", err)
			kept, wait = nil, reportsRetry
		case len(until) > 0:
			wait = reportsRetry
		}
		next.Reset(wait)
		select {
		case <-ctx.Done():
			return nil
		case <-kept:
		case <-next.C:
		}
	}
}

// recordKept records what there is, once around. Conversations of which something was refused wait for a later round, and nobody waits
// for them.
func (s *Service) recordKept(ctx context.Context, until map[string]time.Time) error {
	maps.DeleteFunc(until, func(_ string, t time.Time) bool { return time.Now().After(t) })
	after, end := int64(0), s.reports.begin()
	for {
		s.ledger.GiveWay(ctx)
		most := reportsAtOnce
		select {
		case <-s.ledger.Crowd():
			most = reportsCrowd
		default:
		}
		rs, err := s.ledger.OldestChatwootReports(ctx, after, most)
		more := len(rs) == most
		s.reports.isBehind(more)
		if err != nil {
			return err
		}
		if len(rs) > 0 {
			after = rs[len(rs)-1].N
		}
		refused, err := s.recordReports(ctx, slices.DeleteFunc(rs, func(r ledger.ChatwootReport) bool { _, waits := until[conversationOf(r)]; return waits }))
		for _, conversation := range refused {
			until[conversation] = time.Now().Add(reportsRetry)
		}
		if err != nil {
			return err
		}
		if !more {
			end()
			return nil
		}
	}
}

// caughtUp records what is kept of a conversation, so that what comes next comes after it, and returns the place with its thread. What
// is refused is tried until it is given up: it holds nothing up.
func (s *Service) caughtUp(ctx context.Context, p ledger.ChatwootPlace, conversation string) (ledger.ChatwootPlace, error) {
	if !p.Waits {
		return p, nil
	}
	for {
		rs, err := s.ledger.ChatwootReportsOf(ctx, p.OrgID, p.ID, conversation, reportsAtOnce)
		if err != nil {
			return p, err
		}
		refused, err := s.recordReports(ctx, rs)
		if err != nil {
			return p, err
		}
		if len(rs) < reportsAtOnce && len(refused) == 0 {
			break
		}
	}
	now, err := s.ledger.ChatwootPlaces(ctx, p.ID, "", conversation)
	if err == nil && len(now) > 0 {
		p.ThreadID, p.ContactID, p.AgentID = now[0].ThreadID, now[0].ContactID, now[0].AgentID
	}
	return p, err
}

func conversationOf(r ledger.ChatwootReport) string {
	return domain.ChatwootKey(r.Place.ID, r.Conversation)
}

// recordReports records reports, those of each conversation in the order in which they are given, and says of which conversations one
// was refused, whatever the database does: it and what is behind it is not recorded. It fails when the database is away.
func (s *Service) recordReports(ctx context.Context, rs []ledger.ChatwootReport) (refused []string, err error) {
	if len(rs) == 0 {
		return nil, nil
	}
	conversations := map[string][]ledger.ChatwootReport{}
	for _, r := range rs {
		conversations[conversationOf(r)] = append(conversations[conversationOf(r)], r)
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	var recorded []domain.EventID
	why := map[domain.EventID]error{}
	for conversation, rs := range conversations {
		all.Go(func() {
			done, failed := s.recordConversation(ctx, rs)
			mu.Lock()
			defer mu.Unlock()
			for _, r := range rs[:done] {
				recorded = append(recorded, r.Event)
			}
			switch {
			case failed == nil:
			case domain.KindOf(failed) == domain.Unavailable || ctx.Err() != nil:
				err = failed
			default:
				refused = append(refused, conversation)
				why[rs[done].Event] = failed
				s.log.ErrorContext(ctx, "a report of Chatwoot's cannot be recorded", "event", rs[done].Event, "err", failed)
			}
		})
	}
	all.Wait()
	if noted := s.ledger.ChatwootReportsRecorded(ctx, recorded, why); err == nil {
		err = noted
	}
	return refused, err
}

// recordConversation records reports of one conversation, up to the first that fails, and says how many it has recorded. The first of an
// agent's finds or begins the thread, the others go there with it.
func (s *Service) recordConversation(ctx context.Context, rs []ledger.ChatwootReport) (done int, err error) {
	for done < len(rs) {
		first, err := readReport(rs[done])
		if err != nil {
			return done, err
		}
		recorded, err := s.chatwootRecorded(ctx, first, rs[done].Event)
		if err != nil {
			return done, err
		}
		s.reports.tell(rs[done].Event, recorded)
		done++
		var changes []ledger.Change
		for _, r := range rs[done:] {
			l, err := readReport(r)
			if err != nil || l.Agent != first.Agent {
				break
			}
			changes = append(changes, l.received(r.Event))
		}
		outs, err := s.ledger.AppendInOrder(ctx, first.Place.OrgID, recorded.Thread, changes)
		for _, out := range outs {
			s.reports.tell(rs[done].Event, ChatwootRecorded{Event: out.Event, Thread: recorded.Thread, Skip: out.Skip})
			done++
		}
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// readReport reads what chatwootKept has kept.
func readReport(r ledger.ChatwootReport) (Chatwooted, error) {
	var line keptLine
	err := json.Unmarshal(r.Line, &line)
	return Chatwooted{Place: r.Place, Agent: line.Agent, Conversation: r.Conversation, ExternalID: r.ExternalID,
		Contact: line.Contact, Content: line.Content, Payload: line.Payload}, err
}
