package views

import (
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/views/ui"
)

func replayPages(g map[string]templ.Component) {
	agents := []domain.Agent{{ID: domain.AgentID(id(1)), Name: "Ada", Kind: domain.AgentBuiltin, Enabled: true}, {ID: domain.AgentID(id(2)), Name: hostile, Kind: domain.AgentOpenAI}}
	tape := domain.Tape{
		Lines:     []domain.Message{{Seq: 1, Direction: domain.Inbound, Content: hostile}, {Seq: 2, Direction: domain.Inbound, Attachments: []domain.Attachment{{Name: hostile}}}},
		Exchanges: []domain.Exchange{{FromSeq: 1, ToSeq: 2, Turn: "t", Agent: agents[0].ID, Then: domain.Answer{Replies: []string{hostile, long}}}},
	}
	turns := []domain.ReplayTurn{
		{N: 0, Asked: "How long does it take?", Then: domain.Answer{Replies: []string{"It takes three days."}}, Now: domain.Answer{Replies: []string{"It takes nine days."}},
			Outcome: domain.AnswerChanged, Verdict: domain.VerdictDifferent, Reason: "another " + hostile, Note: hostile, MS: 1200, CostUSD: 0.0123, PromptTokens: 12, Recorded: 1, Live: 2, Withheld: 1},
		{N: 1, Asked: hostile, Then: domain.Answer{Replies: []string{hostile}, Draft: true}, Now: domain.Answer{Handoff: hostile}, Outcome: domain.AnswerFailed, Error: "gave " + hostile},
		{N: 2, Asked: long, Then: domain.Answer{By: domain.AuthorHuman, Replies: []string{long}}, Now: domain.Answer{Replies: []string{long}}, Outcome: domain.AnswerNew},
		{N: 3, Asked: "Hello", Then: domain.Answer{Replies: []string{"Hi"}}, Now: domain.Answer{Replies: []string{"Hi"}}, Outcome: domain.AnswerSame},
	}
	words, model := hostile, hostile
	made := func(status domain.ReplayStatus, n int) domain.Replay {
		return domain.Replay{ID: domain.ReplayID(id(9)), ThreadID: domain.ThreadID(id(8)), AgentName: hostile, Status: status, Error: map[domain.ReplayStatus]string{domain.ReplayFailed: "the " + hostile}[status],
			Answers: len(turns), Turns: turns[:n], CreatedAt: now.Add(-time.Hour), Drift: true, GoldenID: "g", Override: domain.Override{Instructions: &words, Model: &model}}
	}
	order := ReplayForm{Frame: frame(InboxSection, "Replay"), Thread: domain.ThreadID(id(8)), Tape: tape, Golden: true, Agents: agents,
		Past: []domain.Replay{made(domain.ReplayQueued, 0), made(domain.ReplayDone, 4)},
		Form: ui.Form{Values: map[string]string{"instructions": hostile}, Problems: map[string]string{"instructions": "are too long"}, Problem: hostile}}
	g["replay-form"] = ReplayFormPage(order)
	member := order
	member.Frame.User.Role = domain.RoleMember
	g["replay-form-member"] = ReplayFormPage(member)
	g["replay-form-empty"] = ReplayFormPage(ReplayForm{Frame: frame(InboxSection, "Replay"), Thread: domain.ThreadID(id(8))})
	for status, n := range map[domain.ReplayStatus]int{domain.ReplayQueued: 0, domain.ReplayRunning: 1, domain.ReplayDone: 4, domain.ReplayFailed: 2} {
		g["replay-"+string(status)] = ReplayPage(ReplayResult{Frame: frame(InboxSection, "Replay"), Replay: made(status, n)})
	}
	last := made(domain.ReplayRunning, 1)
	tape.Lines[0].Content = strings.Repeat(hostile, 20)
	g["golden"] = GoldenPage(GoldenList{Frame: frame(AgentsSection, "Golden"), Agents: agents, Rows: []GoldenRow{
		{Golden: domain.Golden{ID: "1", ThreadID: domain.ThreadID(id(8)), Tape: tape}, Last: &last}, {Golden: domain.Golden{ID: "2", ThreadID: domain.ThreadID(id(7))}},
	}})
	g["golden-empty"] = GoldenPage(GoldenList{Frame: frame(AgentsSection, "Golden")})
}
