package mcp

import (
	"context"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/parley-chat/parley/domain"
)

func (s *Surface) handlingTools(server *mcp.Server) {
	add(s, server, tool{name: "take_over", title: "Take a conversation over", effect: moves,
		about: "Gives the conversation to you, from its AI agent or a person: AI agents are silent from then on. reply does so by itself; take it over first when your answer needs time."},
		s.moved(s.Chat.TakeOver))
	add(s, server, tool{name: "hand_to_team", title: "Hand a conversation to the team", effect: moves,
		about: "Lets the conversation wait for a person of the team, who is told. AI agents are silent meanwhile. Leave a note first that says what is wanted. A closed conversation cannot wait."},
		s.moved(s.Chat.Release))
	add(s, server, tool{name: "hand_back", title: "Hand a conversation back to its AI agent", effect: moves,
		about: "Gives the conversation back to its AI agent, which at once answers what nobody has answered yet."},
		s.moved(s.Chat.HandBack))
	add(s, server, tool{name: "close_thread", title: "Close a conversation", effect: resolves,
		about: "Resolves the conversation and takes it out of the inbox. The visitor's next message opens it again."},
		s.moved(s.Chat.Close))
}

// moved is a tool that changes who handles a thread, and answers with the thread as it then is.
func (s *Surface) moved(move func(context.Context, domain.User, domain.ThreadID) (domain.Thread, error)) func(context.Context, ThreadName) (Thread, error) {
	return func(ctx context.Context, in ThreadName) (Thread, error) {
		t, err := s.conversation(ctx, in.ThreadID)
		if err != nil {
			return Thread{}, err
		}
		if _, err := move(ctx, callerOf(ctx).program(), domain.ThreadID(t.ID)); err != nil {
			return Thread{}, err
		}
		return s.conversation(ctx, t.ID)
	}
}
