package account

import (
	"strings"
	"sync"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

func setup() ChatwootSetup {
	box := ChatwootSetupInbox{InboxID: "1", Name: "shop-bot", URL: "ws://127.0.0.1:9901/chat", ConnectSeconds: 10, AnswerSeconds: 30, MaxResponses: 5}
	same, other := box, box
	same.InboxID, other.InboxID, other.URL, other.MaxResponses = "2", "3", "ws://127.0.0.1:9902/chat", 1
	return ChatwootSetup{BaseURL: "https://chatwoot.example/", Token: "tok", AccountID: "7", Secret: "whisper", Inboxes: []ChatwootSetupInbox{box, same, other}}
}

// An account of the environment is taken over once, by however many nodes, and never again, whatever its owners have made of it.
func TestImportChatwoot(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	s := New(l)
	if _, err := s.ImportChatwoot(t.Context(), setup()); domain.KindOf(err) != domain.NotFound {
		t.Fatalf("without an organisation: %v", err)
	}
	f := ledgertest.Seed(t, l)
	var mu sync.Mutex
	var all sync.WaitGroup
	var made []ChatwootImport
	for range 4 {
		all.Go(func() {
			in, err := s.ImportChatwoot(t.Context(), setup())
			if err != nil {
				t.Error(err)
			}
			if in.Channel.ID != "" {
				mu.Lock()
				made = append(made, in)
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if len(made) != 1 || made[0].Agents != 2 || made[0].Organisation.ID != f.Org {
		t.Fatalf("made %+v", made)
	}
	c, err := s.Channel(t.Context(), f.Org, made[0].Channel.ID)
	if err != nil || c.Name != "chatwoot" || c.Secret != "whisper" || c.Token != "tok" || !c.Enabled || c.ReplyURL != "https://chatwoot.example" ||
		c.Chatwoot().FallbackText != domain.ChatwootFallback {
		t.Errorf("%+v, %v", c, err)
	}
	one, _ := c.Chatwoot().Answerer("1", c.AgentID)
	two, _ := c.Chatwoot().Answerer("2", c.AgentID)
	three, mapped := c.Chatwoot().Answerer("3", c.AgentID)
	if one == "" || one != two || three == one || !mapped {
		t.Errorf("answerers %s, %s, %s", one, two, three)
	}
	a, err := s.Agent(t.Context(), f.Org, one)
	if err != nil || a.Name != "shop-bot" || a.Kind != domain.AgentWebSocket || !a.Enabled || a.SettleMS != 0 || !strings.Contains(string(a.Config), `"max_responses": 5`) {
		t.Errorf("%+v %s, %v", a, a.Config, err)
	}
	if err := s.DeleteChannel(t.Context(), f.Org, c.ID); err != nil {
		t.Fatal(err)
	}
	if again, err := s.ImportChatwoot(t.Context(), setup()); err != nil || again.Channel.ID != "" {
		t.Errorf("after its owners have deleted it: %+v, %v", again, err)
	}
	agents, err := s.Agents(t.Context(), f.Org)
	if err != nil || len(agents) != 3 { // the fixture's, too
		t.Errorf("%d agents, %v", len(agents), err)
	}
	second := ledgertest.Seed(t, l)
	another := setup()
	another.AccountID = "8"
	if _, err := s.ImportChatwoot(t.Context(), another); domain.KindOf(err) != domain.Conflict {
		t.Errorf("among several organisations: %v", err)
	}
	another.Organisation = string(second.Org)
	if in, err := s.ImportChatwoot(t.Context(), another); err != nil || in.Organisation.ID != second.Org || in.Channel.ID == "" {
		t.Errorf("named: %+v, %v", in, err)
	}
}

// What is wrong leaves nothing behind, and can be mended.
func TestImportChatwootFailsWhole(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	s, f := New(l), ledgertest.Seed(t, l)
	bad := setup()
	bad.Inboxes[2].URL = "ftp://nowhere"
	if _, err := s.ImportChatwoot(t.Context(), bad); domain.KindOf(err) != domain.Invalid || !strings.Contains(err.Error(), "inbox 3") {
		t.Errorf("%v", err)
	}
	if agents, err := s.Agents(t.Context(), f.Org); err != nil || len(agents) != 1 {
		t.Errorf("%d agents are left, %v", len(agents), err)
	}
	if in, err := s.ImportChatwoot(t.Context(), setup()); err != nil || in.Channel.ID == "" {
		t.Errorf("mended: %+v, %v", in, err)
	}
}

// An account that somebody has connected by hand is theirs.
func TestImportChatwootLeavesWhatIsThere(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	s, f := New(l), ledgertest.Seed(t, l)
	if _, err := s.CreateChannel(t.Context(), f.Org, ChannelInput{Name: "ours", Kind: domain.ChannelChatwoot, Enabled: true,
		Config: []byte(`{"base_url":"https://chatwoot.example","account_id":7,"api_access_token":"mine"}`)}); err != nil {
		t.Fatal(err)
	}
	if in, err := s.ImportChatwoot(t.Context(), setup()); err != nil || in.Channel.ID != "" {
		t.Errorf("%+v, %v", in, err)
	}
	if all, err := s.Channels(t.Context(), f.Org); err != nil || len(all) != 1 {
		t.Errorf("%d channels, %v", len(all), err)
	}
}
