package mcp

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/parley-chat/parley/domain"
)

// Question is what search_knowledge wants.
type Question struct {
	Query string `json:"query" jsonschema:"what to look for, in the words and language of whoever asks; 1 to 500 characters"`
}

// Passage is a place in an article.
type Passage struct {
	ArticleID string `json:"article_id"`
	Title     string `json:"title"`
	URL       string `json:"url,omitempty"`
	Text      string `json:"text" jsonschema:"the passage that fits"`
}

// Passages are what was found.
type Passages struct {
	Passages []Passage `json:"passages" jsonschema:"the best first; none: no article speaks to the question"`
}

func (s *Surface) knowledgeTools(server *mcp.Server) {
	add(s, server, tool{name: "search_knowledge", title: "Search the knowledge articles", effect: reads,
		about: "Finds at most five passages in the organisation's public articles: what visitors may be told."}, s.searchKnowledge)
}

func (s *Surface) searchKnowledge(ctx context.Context, in Question) (Passages, error) {
	query := strings.TrimSpace(strings.ReplaceAll(in.Query, "\x00", ""))
	if n := utf8.RuneCountInString(query); n < 1 || n > 500 {
		return Passages{}, domain.InvalidField("query", "must have 1 to 500 characters")
	}
	found, err := s.Account.Ask(ctx, callerOf(ctx).scope(), query)
	shown := Passages{Passages: []Passage{}}
	for _, p := range found {
		shown.Passages = append(shown.Passages, Passage{string(p.Article), p.Title, p.URL, clip(p.Snippet, detailBytes)})
	}
	return shown, err
}
