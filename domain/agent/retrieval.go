package agent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"sync"

	"github.com/parley-chat/parley/domain"
)

// Retrieval is what one turn has found in the knowledge, whichever runtime searched. An answer may name nothing else as its source.
type Retrieval struct {
	mu     sync.Mutex
	found  []domain.Passage
	latest []domain.Passage // of the last search
	asked  string           // what the last search was for
}

type retrievalKey struct{}

// Retrieving makes whatever is searched under the context stand in the retrieval.
func Retrieving(ctx context.Context) (context.Context, *Retrieval) {
	r := &Retrieval{}
	return context.WithValue(ctx, retrievalKey{}, r), r
}

// noting is a knowledge that notes what was found in it.
type noting struct{ Knowledge }

func (n noting) Search(ctx context.Context, org domain.OrgID, query string, limit int) ([]domain.Passage, error) {
	ps, err := n.Knowledge.Search(ctx, org, query, limit)
	if r, ok := ctx.Value(retrievalKey{}).(*Retrieval); ok {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.found, r.latest, r.asked = append(r.found, ps...), slices.Clone(ps), query
	}
	return ps, err
}

// Vouch parts citations into those that name an article found in this turn and those that do not. A nil retrieval found nothing.
func (r *Retrieval) Vouch(cs []domain.Citation) (good, bad []domain.Citation) {
	var found []domain.Passage
	if r != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		found = r.found
	}
	for _, c := range cs {
		c.External = false
		if slices.ContainsFunc(found, func(p domain.Passage) bool { return p.Title == c.Title && p.URL == c.URL }) {
			good = append(good, c)
		} else {
			bad = append(bad, c)
		}
	}
	return good, bad
}

// Passage is one found place as the flight recorder keeps it.
type Passage struct {
	Article    domain.ArticleID `json:"article_id"`
	Title      string           `json:"title"`
	URL        string           `json:"url,omitempty"`
	Snippet    string           `json:"snippet"`
	Confidence float64          `json:"confidence"`
	Rank       float64          `json:"rank"`
	Text       string           `json:"text"` // digest of the article's text as it was then
}

// Latest is what the last search has found, the best first, what it was asked for, and the question as it was understood if that is
// not how it was put.
func (r *Retrieval) Latest() (ps []Passage, asked, understood string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	ps = []Passage{}
	for _, p := range r.latest {
		understood = p.Query
		ps = append(ps, Passage{p.Article, p.Title, p.URL, p.Snippet, confidence([]domain.Passage{p}), p.Rank, digest(p.Body)})
	}
	return ps, r.asked, understood
}

// Texts are the texts of all articles that were found, by their digest.
func (r *Retrieval) Texts() map[string]string {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	texts := make(map[string]string, len(r.found))
	for _, p := range r.found {
		texts[digest(p.Body)] = p.Body
	}
	return texts
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}
