package agent

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/parley-chat/parley/domain"
)

const (
	tryLimit    = 10 * time.Second
	tryQuestion = "What can you help me with?"
)

// Try asks an agent one question outside any thread, for the button that tests it, and waits no longer than ten seconds.
// Whatever goes wrong is in the result. The agent need not be enabled.
func Try(ctx context.Context, a domain.Agent, d Deps) domain.AgentTest {
	return try(ctx, a, d, tryLimit)
}

func try(ctx context.Context, a domain.Agent, d Deps, limit time.Duration) domain.AgentTest {
	rt, err := New(a, d)
	if err != nil {
		return domain.AgentTest{Error: explain(err)}
	}
	timed, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	p := &probe{began: time.Now()}
	result, err := Ask(timed, cmp.Or(d.Log, slog.Default()), rt, tryRequest(a), p)
	if result.Reply != nil {
		_ = p.Reply(ctx, *result.Reply) // never fails
	}
	test := domain.AgentTest{
		ConnectMS:       p.connectMS,
		FirstResponseMS: p.firstResponseMS,
		Response:        clip(strings.Join(p.said, "\n\n"), domain.MaxMessageChars),
	}
	switch {
	case len(p.said) > 0 && (err == nil || timed.Err() != nil): // it answered; that it did not finish in time is no failure
		test.OK = true
		if test.FirstResponseMS == 0 {
			test.FirstResponseMS = millis(p.first.Sub(p.began))
		}
	case err == nil:
		test.Error = "gave no answer"
	case timed.Err() != nil && ctx.Err() == nil:
		test.Error = "did not answer within " + inSeconds(limit)
	default:
		test.Error = explain(err)
	}
	return test
}

func tryRequest(a domain.Agent) TurnRequest {
	id := func() string { return uuid.Must(uuid.NewV7()).String() }
	return TurnRequest{
		TurnID: domain.TurnID(id()), ThreadID: domain.ThreadID(id()), ContactID: domain.ContactID(id()), OrgID: a.OrgID,
		Channel: domain.ChannelWebchat, Agent: Self{ID: a.ID, Name: a.Name}, Classification: "PUBLIC",
		Messages: []Line{{
			ID: domain.MessageID(id()), Seq: 1, Author: domain.Author{Kind: domain.AuthorVisitor, Name: "Connection test"},
			Content: tryQuestion, CreatedAt: time.Now().UTC(),
		}},
		Pending: []int64{1},
		Contact: Contact{Name: "Connection test"},
	}
}

// explain is what may be shown of a failed turn.
func explain(err error) string {
	f, ok := errors.AsType[*Failure](err)
	if !ok {
		return "the test failed"
	}
	if e, ok := errors.AsType[*domain.Error](f.Err); ok {
		return f.Reason + ": " + e.Msg
	}
	return f.Reason
}

// probe is a sink that only remembers.
type probe struct {
	began, first               time.Time
	said                       []string
	connectMS, firstResponseMS float64
}

func (*probe) Delta(string) {}
func (*probe) Think(string) {}

func (p *probe) Reply(_ context.Context, r Reply) error {
	if len(p.said) == 0 {
		p.first = time.Now()
	}
	p.said = append(p.said, r.Content)
	return nil
}

// Step picks up what runtimes that connect somewhere measure themselves.
func (p *probe) Step(s Step) {
	if s.Kind != domain.ModelCall {
		return
	}
	if ms, ok := s.Detail["connect_ms"].(float64); ok {
		p.connectMS = ms
	}
	for _, first := range []string{"first_response_ms", "first_token_ms"} {
		if ms, ok := s.Detail[first].(float64); ok && p.firstResponseMS == 0 {
			p.firstResponseMS = ms
		}
	}
}
