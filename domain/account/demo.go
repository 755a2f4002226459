package account

import (
	"context"
	"embed"
	"encoding/json"
	"path"
	"strings"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// The demo's owner, for everyone to see.
const (
	DemoSlug     = "demo"
	DemoEmail    = "demo@parley.local"
	DemoPassword = "parley-demo"
)

// What the demo's agent knows: the help pages of Northwind Bags, a shop that does not exist. The first line of each is its title.
//
//go:embed demo/*.md
var demoPages embed.FS

// EnsureDemo makes the demo once: an organisation with an owner, an agent, its knowledge, and a widget for every origin, all or
// nothing. If there is an organisation demo already, it touches nothing, because an owner may have changed it. It returns the
// organisation's oldest widget, the zero value if its owner has deleted them all. It fails with Conflict if somebody else
// has the owner's e-mail address.
func (s *Service) EnsureDemo(ctx context.Context) (domain.Widget, error) {
	if w, err := s.demoWidget(ctx, s.ledger); domain.KindOf(err) != domain.NotFound || err == nil {
		return w, err
	}
	hash, err := s.hash(ctx, DemoPassword)
	if err != nil {
		return domain.Widget{}, err
	}
	var w domain.Widget
	err = s.ledger.InTx(ctx, func(tx *ledger.Ledger) error {
		org, made, err := ensureOrganisation(ctx, tx, "Demo", DemoSlug)
		if err != nil {
			return err
		}
		if made {
			if err := s.makeDemo(ctx, tx, org, hash); err != nil {
				return err
			}
		}
		w, err = s.demoWidget(ctx, tx)
		return err
	})
	return w, err
}

// demoWidget fails with NotFound only if there is no demo at all.
func (s *Service) demoWidget(ctx context.Context, l *ledger.Ledger) (domain.Widget, error) {
	org, err := l.OrganisationBySlug(ctx, DemoSlug)
	if err != nil {
		return domain.Widget{}, err
	}
	ws, err := l.Widgets(ctx, org.ID)
	if err != nil || len(ws) == 0 {
		return domain.Widget{}, err
	}
	return ws[0], nil
}

func (s *Service) makeDemo(ctx context.Context, tx *ledger.Ledger, org domain.Organisation, passwordHash string) error {
	owner := Owner{Organisation: org.Name, Name: "Demo", Email: DemoEmail, Password: DemoPassword}
	if err := tx.CreateUser(ctx, owner.user(org.ID), passwordHash); err != nil {
		return err
	}
	articles, err := demoArticles(org.ID)
	if err != nil {
		return err
	}
	if err := tx.CreateArticle(ctx, articles...); err != nil {
		return err
	}
	agent, err := newAgent(org.ID, demoAgent())
	if err != nil {
		return err
	}
	if err := tx.CreateAgent(ctx, agent); err != nil {
		return err
	}
	in, err := s.demoWidgetInput(agent.ID).check()
	if err != nil {
		return err
	}
	w := newWidget(org.ID)
	in.over(&w)
	return tx.CreateWidget(ctx, w)
}

func demoAgent() AgentInput {
	a := domain.NewAgent("", "Ada", domain.AgentBuiltin)
	return AgentInput{
		Name: a.Name, Kind: a.Kind, Enabled: a.Enabled, SendMode: a.SendMode, SettleMS: a.SettleMS, MaxAttempts: a.MaxAttempts,
		Config: json.RawMessage(`{"greeting": "Hello! I am Ada, and I know my way around Northwind Bags: shipping, returns, repairs, sizes. What can I do for you?"}`),
	}
}

func (s *Service) demoWidgetInput(agent domain.AgentID) WidgetInput {
	in := s.DefaultWidget()
	in.Name, in.AgentID, in.AllowedOrigins = "Northwind Bags", agent, []string{domain.AnyOrigin}
	in.Appearance.Title = "Northwind Bags"
	in.Appearance.Greeting = "Hello! Ask me about shipping, returns, repairs or which bag fits your bicycle."
	return in
}

func demoArticles(org domain.OrgID) ([]domain.Article, error) {
	pages, err := demoPages.ReadDir("demo")
	if err != nil {
		return nil, err
	}
	var articles []domain.Article
	for _, page := range pages {
		text, err := demoPages.ReadFile(path.Join("demo", page.Name()))
		if err != nil {
			return nil, err
		}
		title, content, _ := strings.Cut(string(text), "\n")
		a, err := newArticle(org, ArticleInput{
			Title: strings.TrimPrefix(title, "# "), URL: "/demo#" + strings.TrimSuffix(page.Name(), ".md"), Content: content,
		})
		if err != nil {
			return nil, err
		}
		articles = append(articles, a)
	}
	return articles, nil
}
