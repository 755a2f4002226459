package chat

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"sync/atomic"
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
	reportsRetry  = time.Second      // after a failure
	reportWait    = 2 * time.Second  // for one to be recorded, where there is no crowd
)

// reports are those that are kept on this node to be recorded.
type reports struct {
	kept   chan struct{} // has something in it when there are any
	behind atomic.Bool   // there are more than are recorded at once

	mu      sync.Mutex
	waiting map[domain.EventID]chan ChatwootRecorded // who would like to know what became of one
}

func newReports() reports {
	return reports{kept: make(chan struct{}, 1), waiting: map[domain.EventID]chan ChatwootRecorded{}}
}

// wake lets them be recorded.
func (r *reports) wake() {
	select {
	case r.kept <- struct{}{}:
	default:
	}
}

// awaits says where to hear of one, until done is called.
func (r *reports) awaits(id domain.EventID) (recorded <-chan ChatwootRecorded, done func()) {
	c := make(chan ChatwootRecorded, 1)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting[id] = c
	return c, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.waiting, id)
	}
}

func (r *reports) tell(id domain.EventID, what ChatwootRecorded) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c, ok := r.waiting[id]; ok {
		delete(r.waiting, id)
		c <- what
	}
}

// keptLine is what is kept of a contact's line.
type keptLine struct {
	Agent   domain.AgentID
	Contact ledger.Identifiers
	Content string
	Payload json.RawMessage
}

// chatwootKept keeps a contact's line, and waits for it to be recorded unless there is a crowd, or one has just left.
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
	if s.reports.behind.Load() {
		return ChatwootRecorded{Event: r.Event}, nil
	}
	select {
	case r := <-recorded:
		return r, nil
	case <-s.ledger.Crowd():
	case <-time.After(reportWait):
	case <-ctx.Done():
	}
	return ChatwootRecorded{Event: r.Event}, nil
}

// RecordReports records what is kept of Chatwoot's reports until ctx ends.
func (s *Service) RecordReports(ctx context.Context) error {
	next := time.NewTimer(0)
	defer next.Stop()
	for {
		err := s.recordKept(ctx)
		kept, wait := s.reports.kept, reportsSweep
		if err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "could not record what Chatwoot has reported, it is tried again", "err", err)
			kept, wait = nil, reportsRetry
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

// recordKept records what there is.
func (s *Service) recordKept(ctx context.Context) error {
	for {
		s.ledger.GiveWay(ctx)
		most := reportsAtOnce
		select {
		case <-s.ledger.Crowd():
			most = reportsCrowd
		default:
		}
		rs, err := s.ledger.OldestChatwootReports(ctx, most)
		s.reports.behind.Store(len(rs) == most)
		if err == nil {
			err = s.recordReports(ctx, rs)
		}
		if err != nil || len(rs) < most {
			return err
		}
	}
}

// caughtUp records what is kept of a conversation, so that what comes next comes after it, and returns the place with its thread.
func (s *Service) caughtUp(ctx context.Context, p ledger.ChatwootPlace, conversation string) (ledger.ChatwootPlace, error) {
	if !p.Waits {
		return p, nil
	}
	for most := reportsAtOnce; most == reportsAtOnce; {
		rs, err := s.ledger.ChatwootReportsOf(ctx, p.OrgID, p.ID, conversation, most)
		if most = len(rs); err == nil {
			err = s.recordReports(ctx, rs)
		}
		if err != nil {
			return p, err
		}
	}
	now, err := s.ledger.ChatwootPlaces(ctx, p.ID, "", conversation)
	if err == nil && len(now) > 0 {
		p.ThreadID, p.ContactID, p.AgentID = now[0].ThreadID, now[0].ContactID, now[0].AgentID
	}
	return p, err
}

// recordReports records reports, those of each conversation in the order in which they are given.
func (s *Service) recordReports(ctx context.Context, rs []ledger.ChatwootReport) (err error) {
	if len(rs) == 0 {
		return nil
	}
	conversations := map[string][]ledger.ChatwootReport{}
	for _, r := range rs {
		k := domain.ChatwootKey(r.Place.ID, r.Conversation)
		conversations[k] = append(conversations[k], r)
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	var recorded []domain.EventID
	refused := map[domain.EventID]error{}
	for _, rs := range conversations {
		all.Go(func() {
			done, failed := s.recordConversation(ctx, rs)
			mu.Lock()
			defer mu.Unlock()
			for _, r := range rs[:done] {
				recorded = append(recorded, r.Event)
			}
			if failed == nil {
				return
			}
			err = failed
			if domain.KindOf(failed) != domain.Unavailable && !errors.Is(failed, ledger.ErrJoined) && ctx.Err() == nil {
				refused[rs[done].Event] = failed
				s.log.ErrorContext(ctx, "a report of Chatwoot's cannot be recorded", "event", rs[done].Event, "err", failed)
			}
		})
	}
	all.Wait()
	if noted := s.ledger.ChatwootReportsRecorded(ctx, recorded, refused); err == nil {
		err = noted
	}
	return err
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
