package agent

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
)

// tape is a sink that remembers, and refuses replies once refuse is set.
type tape struct {
	replies []Reply
	steps   []Step
	refuse  error
	onReply func()
}

func (*tape) Delta(string) {}
func (*tape) Think(string) {}

func (s *tape) Reply(_ context.Context, r Reply) error {
	if s.refuse != nil {
		return s.refuse
	}
	s.replies = append(s.replies, r)
	if s.onReply != nil {
		s.onReply()
	}
	return nil
}

func (s *tape) Step(step Step) { s.steps = append(s.steps, step) }

// shelf is a knowledge of articles that hands out those which share a word with the query, in the order they stand in.
type shelf struct {
	articles []domain.Passage
	err      error
	queries  []string
}

func (s *shelf) Search(_ context.Context, _ domain.OrgID, query string, limit int) ([]domain.Passage, error) {
	s.queries = append(s.queries, query)
	var hits []domain.Passage
	words := meaningful(wordsOf(query), &english)
	for _, a := range s.articles {
		if len(without(words, a.Title+" "+a.Body)) < len(words) && len(hits) < limit {
			hits = append(hits, a)
		}
	}
	return hits, s.err
}

var (
	returns = domain.Passage{Article: "1", Title: "Returns and refunds", URL: "https://shop.example/returns", Rank: 0.4, Snippet: "Send it back within 30 days.", Body: `# Returns and refunds

We want you to be happy with what you bought.

## Returning an item

You can return any unworn item within 30 days. To start a return:

1. Open your order in the account page.
2. Choose **Return items** and print the label.
3. Drop the parcel at any post office.

## Refunds

Refunds go back to the card you paid with, usually within 5 working days. Gift cards are refunded as store credit.
`}
	hours = domain.Passage{Article: "2", Title: "Opening hours", Rank: 0.3, Body: "Our shop is open Monday to Friday, 9 a.m. to 6 p.m. On Saturdays we close at 2 p.m. The phone line keeps the same hours."}
)

func builtinAgent(config string) domain.Agent {
	a := domain.NewAgent("org", "Ada", domain.AgentBuiltin)
	a.ID, a.Config = "agent", json.RawMessage(config)
	return a
}

// chat makes a turn of lines "v: …" (visitor), "a: …" (agent), "h: …" (human) and "?: …" (visitor, pending).
func chat(lines ...string) TurnRequest {
	r := TurnRequest{OrgID: "org", ThreadID: "thread", Channel: domain.ChannelWebchat}
	kinds := map[byte]domain.AuthorKind{'v': domain.AuthorVisitor, '?': domain.AuthorVisitor, 'a': domain.AuthorAgent, 'h': domain.AuthorHuman}
	for i, l := range lines {
		seq := int64(i + 1)
		r.Messages = append(r.Messages, Line{
			ID: domain.MessageID("m" + string(rune('0'+seq))), Seq: seq, Author: domain.Author{Kind: kinds[l[0]]}, Content: l[3:],
			CreatedAt: time.Date(2026, 11, 21, 9, 0, i, 0, time.UTC),
		})
		if l[0] == '?' {
			r.Pending = append(r.Pending, seq)
		}
	}
	return r
}

func answer(t *testing.T, config string, k Knowledge, r TurnRequest) (Result, *tape) {
	t.Helper()
	rt, err := New(builtinAgent(config), Deps{Knowledge: k})
	if err != nil {
		t.Fatal(err)
	}
	sink := &tape{}
	got, err := rt.Turn(t.Context(), r, sink)
	if err != nil {
		t.Fatal(err)
	}
	if got.Reply == nil || strings.TrimSpace(got.Reply.Content) == "" {
		t.Fatalf("no reply: %+v", got)
	}
	return got, sink
}

func TestBuiltinSmallTalk(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		lines   []string
		want    string
		handoff bool
	}{
		"hi":                     {[]string{"?: Hi!"}, english.greet[0], false},
		"wave":                   {[]string{"?: 👋"}, english.greet[0], false},
		"hello in two lines":     {[]string{"?: hello", "?: anyone there??"}, english.greet[0], false},
		"German":                 {[]string{"?: Guten Tag zusammen"}, german.greet[0], false},
		"folded German":          {[]string{"?: GRÜSS GOTT"}, german.greet[0], false},
		"French":                 {[]string{"?: Bonjour, j'ai une question"}, french.greet[0], false},
		"Spanish":                {[]string{"?: ¡Buenos días!"}, spanish.greet[0], false},
		"Portuguese":             {[]string{"?: Olá, bom dia"}, portuguese.greet[0], false},
		"again":                  {[]string{"v: hi", "a: " + english.greet[0], "?: hello"}, english.greetAgain[0], false},
		"and again":              {[]string{"v: hi", "a: " + english.greet[0], "v: hi", "a: " + english.greetAgain[0], "?: hi"}, english.greetAgain[1], false},
		"after a person":         {[]string{"v: hi", "h: Hello, Eva here. Solved!", "?: hi again"}, english.greetAgain[0], false},
		"thanks":                 {[]string{"v: opening hours?", "a: Nine to six.", "?: Thank you so much!"}, english.closed[0], false},
		"ok in a German thread":  {[]string{"v: Wann haben Sie offen?", "a: Neun bis sechs.", "?: ok"}, german.closed[0], false},
		"no to the offer":        {[]string{"v: weather?", "a: " + english.unknown[0], "?: no thanks"}, english.closed[0], false},
		"yes to the offer":       {[]string{"v: weather?", "a: " + english.unknown[1], "?: Yes please!"}, english.handoff[0], true},
		"ok to the offer":        {[]string{"v: weather?", "a: " + english.unknown[0], "?: ok"}, english.handoff[0], true},
		"ja to the offer":        {[]string{"v: Wie wird das Wetter?", "a: " + german.unknown[0], "?: ja bitte"}, german.handoff[0], true},
		"yes to something else":  {[]string{"v: hi", "h: Shall I?", "?: ok"}, english.closed[0], false},
		"bot?":                   {[]string{"?: are you a bot?"}, english.about[0], false},
		"who are you":            {[]string{"?: Hello, who are you?"}, english.about[0], false},
		"real person?":           {[]string{"?: Am I talking to a real person?"}, english.about[0], false},
		"handoff twice":          {[]string{"v: human please", "a: " + english.handoff[0], "?: I want a human"}, english.handoff[1], true},
		"question and a person":  {[]string{"?: where is my parcel", "?: let me talk to a human"}, english.handoff[0], true},
		"Sind Sie ein Mensch":    {[]string{"?: Sind Sie ein Mensch?"}, german.about[0], false},
		"not a bot but a person": {[]string{"?: Is this a bot? I want to speak to a real person."}, english.handoff[0], true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := &shelf{articles: []domain.Passage{returns, hours}}
			got, _ := answer(t, `{}`, k, chat(tt.lines...))
			if got.Reply.Content != tt.want || (got.Handoff != nil) != tt.handoff {
				t.Errorf("%q, handoff %v; want %q, %v", got.Reply.Content, got.Handoff, tt.want, tt.handoff)
			}
			if len(k.queries) > 0 {
				t.Errorf("searched for %q", k.queries)
			}
		})
	}
}

func TestBuiltinSaysGoodbyeOnce(t *testing.T) {
	t.Parallel()
	for thanks, lang := range map[string]*speech{
		"thank you": &english, "vielen Dank": &german, "merci beaucoup": &french, "muchas gracias": &spanish, "muito obrigado": &portuguese,
	} {
		lines := []string{"v: hours?", "a: Nine to six."}
		var got []string
		for n := range 5 {
			if n == 3 { // a question in between does not start it all over
				lines = append(lines, "v: hours?", "a: Nine to six.")
			}
			res, _ := answer(t, `{}`, &shelf{}, chat(append(lines, "?: "+thanks)...))
			got = append(got, res.Reply.Content)
			lines = append(lines, "v: "+thanks, "a: "+res.Reply.Content)
		}
		if want := []string{lang.closed[0], lang.welcome, nod, nod, nod}; !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", thanks, got, want)
		}
	}
	after, _ := answer(t, `{}`, &shelf{}, chat("v: danke", "a: "+german.closed[1], "?: thank you"))
	if after.Reply.Content != english.welcome {
		t.Errorf("in another language: %q", after.Reply.Content)
	}
}

// A file alone is no greeting: who sent one hears that it came and is offered somebody who can look at it.
func TestBuiltinCannotLookIntoFiles(t *testing.T) {
	t.Parallel()
	file := Line{Seq: 3, Author: domain.Author{Kind: domain.AuthorVisitor}, Attachments: []File{{Name: "invoice.pdf"}}}
	r := TurnRequest{Messages: []Line{file}, Pending: []int64{3}}
	rt, err := newBuiltin(builtinAgent(`{}`), Deps{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := rt.Turn(t.Context(), r, &tape{})
	if err != nil || got.Reply == nil || got.Reply.Content != english.blind[0] || got.Handoff != nil {
		t.Fatalf("%+v, %v", got, err)
	}
	yes := Line{Seq: 5, Author: file.Author, Content: "yes please"}
	r.Messages = append(r.Messages, Line{Seq: 4, Author: domain.Author{Kind: domain.AuthorAgent}, Content: got.Reply.Content}, yes)
	r.Pending = []int64{5}
	if got, err = rt.Turn(t.Context(), r, &tape{}); err != nil || got.Handoff == nil {
		t.Errorf("yes to the offer: %+v, %v", got, err)
	}
}

func TestBuiltinHearsWhoWantsAPerson(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]bool{
		"talk to a human": true, "Can I speak to someone about this?": true, "REAL PERSON!": true, "agent please": true, "human": true,
		"please connect me with an agent": true, "I'd like to chat with your support team": true, "can I talk with one of your colleagues": false,
		"get me a human": true, "is there a live agent": true, "let me speak with a representative": true,
		"Ich möchte mit einem Menschen sprechen": true, "Kann ich bitte mit jemandem reden?": true, "Mitarbeiter bitte": true,
		"Verbinden Sie mich bitte mit einem Mitarbeiter": true, "einen echten Menschen": true,
		"Je voudrais parler à quelqu'un": true, "parler avec un conseiller": true, "une vraie personne": true,
		"quiero hablar con una persona": true, "un agente humano": true, "agente por favor": true,
		"quero falar com um atendente": true, "falar com alguém": true, "pessoa real": true,
		"how do I return an item": false, "what is a human right": false, "Where is the agent login?": false, "my person of trust": false,
		"Ich will einen Menschen": true, "ich möchte bitte eine Mitarbeiterin!": true, "Ich will keinen Menschen stören": false,
		"Wie viele Personen passen in den Bus?": false, "una mesa para dos personas": false, "which agents do you sell": false,
	} {
		if got := wantsPerson(plain(wordsOf(line))); got != want {
			t.Errorf("%q: %v, want %v", line, got, want)
		}
	}
}

func TestBuiltinAnswersFromKnowledge(t *testing.T) {
	t.Parallel()
	k := &shelf{articles: []domain.Passage{returns, hours}}
	got, sink := answer(t, `{"greeting":"Welcome!"}`, k, chat("?: Hi there!", "?: how do I return an item?"))
	want := "You can return any unworn item within 30 days. To start a return:\n\n1. Open your order in the account page.\n" +
		"2. Choose **Return items** and print the label.\n3. Drop the parcel at any post office."
	if got.Reply.Content != want || got.Reply.ContentType != domain.Markdown || got.Handoff != nil {
		t.Errorf("reply = %+v, want %q", got.Reply, want)
	}
	if c := (domain.Citation{Title: returns.Title, URL: returns.URL, Snippet: returns.Snippet}); !slices.Equal(got.Reply.Citations, []domain.Citation{c}) {
		t.Errorf("citations = %+v", got.Reply.Citations)
	}
	if !slices.Equal(k.queries, []string{"how do I return an item?"}) {
		t.Errorf("searched for %q", k.queries)
	}
	if len(sink.steps) != 2 || sink.steps[0].Kind != domain.ToolCall || sink.steps[1].Kind != domain.ToolResult {
		t.Fatalf("steps = %+v", sink.steps)
	}
	if sink.steps[0].Detail["query"] != "how do I return an item?" || sink.steps[1].Detail["hits"] != 1 {
		t.Errorf("steps = %+v", sink.steps)
	}
	if titles, _ := sink.steps[1].Detail["titles"].([]string); !slices.Equal(titles, []string{returns.Title}) {
		t.Errorf("titles = %v", titles)
	}
	if _, ok := sink.steps[1].Detail["ms"].(float64); !ok {
		t.Error("the result does not say how long it took")
	}
}

func TestBuiltinAnswersAllPendingLinesAtOnce(t *testing.T) {
	t.Parallel()
	got, _ := answer(t, `{}`, &shelf{articles: []domain.Passage{returns, hours}}, chat("?: when do I get my refund", "?: and when are you open on saturdays"))
	for _, part := range []string{"**Returns and refunds**", "Refunds go back to the card", "**Opening hours**", "On Saturdays we close at 2 p.m."} {
		if !strings.Contains(got.Reply.Content, part) {
			t.Errorf("%q is missing in %q", part, got.Reply.Content)
		}
	}
	if len(got.Reply.Citations) != 2 {
		t.Errorf("citations = %+v", got.Reply.Citations)
	}
}

func TestBuiltinDoesNotKnow(t *testing.T) {
	t.Parallel()
	k := &shelf{articles: []domain.Passage{returns, hours}}
	lines := []string{"?: What is the capital of Mongolia?"}
	var before string
	for range 4 {
		got, _ := answer(t, `{}`, k, chat(lines...))
		said := got.Reply.Content
		if said == before || !slices.Contains(english.unknown, said) || got.Handoff != nil || len(got.Reply.Citations) > 0 {
			t.Fatalf("said %+v after %q", got, before)
		}
		lines[len(lines)-1] = "v: What is the capital of Mongolia?"
		lines = append(lines, "a: "+said, "?: And of Burkina Faso?")
		before = said
	}
	got, _ := answer(t, `{}`, nil, chat("?: Wie hoch ist der Eiffelturm?"))
	if got.Reply.Content != german.unknown[0] {
		t.Errorf("without any knowledge: %q", got.Reply.Content)
	}
	// A search that is generous with its hits does not tempt it to answer beside the point.
	beside := &shelf{articles: []domain.Passage{hours}}
	got, _ = answer(t, `{}`, beside, chat("?: Does the invoice number of my last subscription payment change on Monday?"))
	if !slices.Contains(english.unknown, got.Reply.Content) {
		t.Errorf("beside the point: %q", got.Reply.Content)
	}
}

func TestBuiltinGreetsInTheOwnersWords(t *testing.T) {
	t.Parallel()
	got, _ := answer(t, `{"greeting":"**Welcome** to the shop."}`, nil, chat("?: hey"))
	if got.Reply.Content != "**Welcome** to the shop." || got.Reply.ContentType != domain.Markdown {
		t.Errorf("%+v", got.Reply)
	}
}

func TestBuiltinFailures(t *testing.T) {
	t.Parallel()
	down := errors.New("connection lost")
	rt, err := New(builtinAgent(`{}`), Deps{Knowledge: &shelf{err: down}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = rt.Turn(t.Context(), chat("?: opening hours"), &tape{})
	if f, ok := errors.AsType[*Failure](err); !ok || f.Permanent || f.Reason != "could not search the knowledge" || !errors.Is(err, down) {
		t.Errorf("search down: %v", err)
	}
	_, err = rt.Turn(t.Context(), chat("v: hi"), &tape{})
	if f, ok := errors.AsType[*Failure](err); !ok || !f.Permanent {
		t.Errorf("nothing pending: %v", err)
	}
	cut, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err = rt.Turn(cut, chat("?: opening hours"), &tape{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cut short: %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	bad := builtinAgent(`{"greeting":5}`)
	later := builtinAgent(`{}`)
	later.Kind = domain.AgentOpenAI
	for _, a := range []domain.Agent{bad, later} {
		_, err := New(a, Deps{})
		if f, ok := errors.AsType[*Failure](err); !ok || !f.Permanent {
			t.Errorf("%s: %v", a.Kind, err)
		}
	}
	for _, kind := range domain.AgentKinds() {
		if runtimes[kind] == nil {
			t.Errorf("domain lists kind %s, but it has no runtime", kind)
		}
	}
}
