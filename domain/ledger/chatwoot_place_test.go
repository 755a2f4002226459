package ledger_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// Whoever begins a conversation together with others gets what they would get alone: a thread for each conversation, a contact for each
// external id, and no address for two.
func TestChatwootThreadsTogether(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	one, two := ledgertest.Seed(t, l), ledgertest.Seed(t, l)
	const conversations = 30
	got := make([][4]domain.ThreadID, conversations)
	var all sync.WaitGroup
	for c := range conversations {
		for again := range 4 { // the last in another organisation
			all.Go(func() {
				f := one
				if again == 3 {
					f = two
				}
				id, err := l.ChatwootThread(t.Context(), ledger.ChannelThread{OrgID: f.Org, Channel: "chatwoot", Key: fmt.Sprint("chatwoot:x:", c), AgentID: f.Agent},
					ledger.Identifiers{ExternalID: fmt.Sprint("contact ", c/2), Name: "Grace", Email: "Grace@example.com", Phone: fmt.Sprint("+49", c/2)})
				if err != nil {
					t.Error(err)
				}
				got[c][again] = id
			})
		}
	}
	all.Wait()
	threads := map[domain.ThreadID]bool{}
	for c, ids := range got {
		if ids[0] != ids[1] || ids[0] != ids[2] || ids[0] == ids[3] {
			t.Errorf("conversation %d: %v", c, ids)
		}
		threads[ids[0]], threads[ids[3]] = true, true
	}
	if len(threads) != 2*conversations {
		t.Errorf("%d threads", len(threads))
	}
	for _, f := range []ledgertest.Fixture{one, two} {
		var contacts, addresses, phones, apart int
		err := l.NewRaw(`SELECT count(*), count(*) FILTER (WHERE email <> ''), count(DISTINCT nullif(phone, '')),
    (SELECT count(*) FROM threads t JOIN contacts k ON k.id = t.contact_id WHERE t.org_id = ?0 AND t.channel = 'chatwoot'
     AND k.external_id <> 'contact ' || replace(t.correlation_key, 'chatwoot:x:', '')::int / 2)
FROM contacts WHERE org_id = ?0 AND external_id IS NOT NULL`, f.Org).Scan(t.Context(), &contacts, &addresses, &phones, &apart)
		if err != nil || contacts != conversations/2 || addresses != 1 || phones != conversations/2 || apart > 0 {
			t.Errorf("%d contacts, %d with the address, %d phones, %d threads of another, %v", contacts, addresses, phones, apart, err)
		}
	}
}

// Reports that come together are each told of their own conversation, whichever way they find their account.
func TestChatwootPlacesTogether(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	var channels []domain.Channel
	for i, account := range []string{"7", "7", "8"} {
		c := domain.Channel{ID: ledger.NewID[domain.ChannelID](), OrgID: f.Org, Name: fmt.Sprint("c", i), Kind: domain.ChannelChatwoot, AgentID: f.Agent, Enabled: true,
			ReplyURL: "http://127.0.0.1", Config: fmt.Appendf(nil, `{"account_id":%q}`, account), Secret: fmt.Sprint("secret ", i)}
		if err := l.CreateChannel(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		channels = append(channels, c)
	}
	const conversations = 20
	for c := range conversations {
		_, err := l.ChatwootThread(t.Context(), ledger.ChannelThread{OrgID: f.Org, Channel: "c0", Key: domain.ChatwootKey(channels[0].ID, fmt.Sprint(c)), AgentID: f.Agent},
			ledger.Identifiers{ExternalID: fmt.Sprint(c)})
		if err != nil {
			t.Fatal(err)
		}
	}
	var all sync.WaitGroup
	for c := range 2 * conversations {
		for _, ask := range []struct {
			id      domain.ChannelID
			account string
			want    []domain.Channel
		}{{channels[0].ID, "", channels[:1]}, {"", "7", channels[:2]}, {"", "8", channels[2:]}, {"", "9", nil}, {"", "", channels}, {domain.ChannelID(f.Org), "", nil}} {
			all.Go(func() {
				ps, err := l.ChatwootPlaces(t.Context(), ask.id, ask.account, fmt.Sprint(c))
				if err != nil || len(ps) != len(ask.want) {
					t.Errorf("%+v: %d, %v", ask, len(ps), err)
					return
				}
				for i, p := range ps {
					if p.ID != ask.want[i].ID || p.Secret != ask.want[i].Secret || (p.ThreadID != "") != (p.ID == channels[0].ID && c < conversations) {
						t.Errorf("%+v of conversation %d: %+v", ask, c, p)
					}
					if p.ThreadID == "" {
						continue
					}
					if th, err := l.Thread(t.Context(), f.Org, p.ThreadID); err != nil || th.CorrelationKey != domain.ChatwootKey(channels[0].ID, fmt.Sprint(c)) ||
						p.ContactID != th.ContactID || p.AgentID != f.Agent {
						t.Errorf("conversation %d: %+v, %v", c, th, err)
					}
				}
			})
		}
	}
	all.Wait()
}
