package chat

import (
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/relay"
)

func TestPens(t *testing.T) {
	t.Parallel()
	anna, bert := domain.Author{Kind: domain.AuthorHuman, Name: "Anna"}, domain.Author{Kind: domain.AuthorHuman, Name: "Bert"}
	ada := domain.Author{Kind: domain.AuthorAgent, Name: "Ada"}
	on := func(a domain.Author) relay.Hint {
		return relay.Hint{Thread: "t", Kind: relay.Typing, On: true, Author: a}
	}
	off := func(a domain.Author) relay.Hint { return relay.Hint{Thread: "t", Kind: relay.Typing, Author: a} }
	p := newPens()
	begun := time.Now()
	over := func(after time.Duration) int { return len(p.laid(begun.Add(after))) }

	p.took(on(anna))
	if over(29*time.Second) != 0 || over(31*time.Second) != 1 || over(time.Hour) != 0 {
		t.Error("who writes is taken to have stopped once, after half a minute")
	}
	p.took(on(anna))
	p.heard(off(anna))
	if over(time.Hour) != 0 {
		t.Error("who has said that they stopped is told of again")
	}
	p.heard(on(bert))
	p.heard(on(domain.Author{Kind: domain.AuthorVisitor, Name: "Visitor"}))
	p.heard(relay.Hint{Thread: "t", Kind: relay.Delta, Author: ada})
	if over(time.Hour) != 0 {
		t.Error("other nodes look after the people who write there, and the team's pages after visitors")
	}
	p.heard(on(ada))
	if over(29*time.Second) != 0 || over(31*time.Second) != 1 {
		t.Error("an agent is taken to have stopped after half a minute, wherever it has begun")
	}
	p.heard(on(ada))
	if p.heard(off(ada)); over(time.Hour) != 0 {
		t.Error("an agent that has answered is told of again")
	}
	p.took(on(anna))
	p.down[pen{"t", anna}] = begun // as long ago
	p.heard(on(anna))              // she goes on, on another node
	if over(29*time.Second) != 0 {
		t.Error("who goes on elsewhere is taken to have stopped")
	}
}
