package views

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/views/ui"
)

// hostile is text that would run if a page forgot to escape it.
const hostile = `<script>alert(1)</script>"><img src=x onerror=alert(1)>`

var (
	lisbon  = time.FixedZone("WET", 0)
	now     = time.Date(2026, 11, 21, 14, 32, 10, 0, lisbon)
	anna    = domain.User{ID: "01935c1e-0000-7000-8000-00000000a11a", Email: "anna@acme.example", Name: "Anna Lindqvist", Role: domain.RoleOwner}
	ava     = domain.Agent{ID: "01935c1e-0000-7000-8000-0000000000a1", Name: "Ava", Kind: domain.AgentBuiltin, Enabled: true, SendMode: domain.Autonomous, SettleMS: 800, MaxAttempts: 3}
	courier = domain.Agent{ID: "01935c1e-0000-7000-8000-0000000000a2", Name: "Order desk", Kind: domain.AgentWebSocket, Enabled: true, SendMode: domain.Suggest, SettleMS: 800, MaxAttempts: 3,
		Config: json.RawMessage(`{"url":"ws://127.0.0.1:9100/chat"}`), Secrets: map[string]string{"header:Authorization": "Bearer x", "header:X-Tenant": "acme"}}
	long = strings.Repeat("Donaudampfschifffahrtsgesellschaft and then some more words that nobody asked for ", 6)
)

func frame(s Section, title string) Frame {
	return Frame{Title: title, Section: s, Org: "Acme Bicycles", User: anna, Unread: 3, Now: now}
}

func id(n int) string { return fmt.Sprintf("01935c1e-%04d-7000-8000-0000000c%04x", n, 0x4f2a+n) }

func contact(n int, name, email string) domain.Contact {
	return domain.Contact{ID: domain.ContactID(id(n)), Name: name, Email: email, Stub: name == ""}
}

func thread(n int, h domain.Handling, ago time.Duration, last, read int64) domain.Thread {
	return domain.Thread{
		ID: domain.ThreadID(id(n)), Channel: domain.ChannelWebchat, Handling: h, LastSeq: last, TeamRead: read,
		LastMessageAt: now.Add(-ago), CreatedAt: now.Add(-ago - time.Hour),
	}
}

func inboxRows() []ThreadRow {
	rows := []ThreadRow{
		{Thread: thread(1, domain.HandlingWaiting, 40*time.Second, 6, 3), Contact: contact(1, "Marta Oliveira", "marta@example.pt"), Preview: "Can somebody look at order 10442? The front light is missing.", By: domain.AuthorVisitor},
		{Thread: thread(2, domain.HandlingAgent, 3*time.Minute, 4, 4), Contact: contact(2, "", ""), Preview: "Our standard delivery takes two to three working days within the EU.", By: domain.AuthorAgent},
		{Thread: thread(3, domain.HandlingHuman, 12*time.Minute, 9, 9), Contact: contact(3, "Jonas Weber", "jonas@weber.example"), Preview: "I have just sent you the label, it should be in your mailbox.", By: domain.AuthorHuman, Assignee: "Anna Lindqvist"},
		{Thread: thread(4, domain.HandlingWaiting, 26*time.Minute, 3, 0), Contact: contact(4, "", "someone@example.org"), Preview: "hello? is anybody there", By: domain.AuthorVisitor, Failed: true},
		{Thread: thread(5, domain.HandlingAgent, 2*time.Hour, 2, 2), Contact: contact(5, "Chidi Anagonye", ""), Preview: "You can return any unused part within 30 days.", By: domain.AuthorAgent},
		{Thread: thread(6, domain.HandlingHuman, 26*time.Hour, 14, 14), Contact: contact(6, "Priya Natarajan", "priya@example.in"), Preview: "Perfect, thank you so much!", By: domain.AuthorVisitor, Assignee: "Tomás Reis"},
		{Thread: thread(7, domain.HandlingAgent, 4*24*time.Hour, 2, 2), Contact: contact(7, "", ""), Preview: "Which size do I need if I am 178 cm tall?", By: domain.AuthorVisitor},
	}
	rows[1].ByName, rows[2].ByName, rows[4].ByName = ava.Name, anna.Name, ava.Name
	rows[6].Unanswered = true
	rows[2].Thread.AssigneeID = anna.ID
	return rows
}

func listing(tab Tab, rows []ThreadRow) ThreadList {
	return ThreadList{
		Selection: Selection{Tab: tab}, Rows: rows, Now: now, PageSize: 30, Widgets: 1, Frame: frame(InboxSection, "Inbox"),
		Counts: map[Tab]int{TabOpen: 7, TabWaiting: 2, TabMine: 1, TabAgents: 3, TabClosed: 41},
	}
}

func msg(seq int64, ago time.Duration, kind domain.AuthorKind, name, content string) domain.Message {
	m := domain.Message{
		ID: domain.MessageID(id(int(100 + seq))), Seq: seq, Author: domain.Author{Kind: kind, Name: name}, Content: content,
		ContentType: domain.Text, CreatedAt: now.Add(-ago), Direction: domain.Outbound,
	}
	if kind == domain.AuthorVisitor {
		m.Direction = domain.Inbound
	}
	return m
}

func item(ago time.Duration, kind domain.TimelineKind, detail any) domain.TimelineItem {
	raw, err := json.Marshal(detail)
	if err != nil {
		panic(err)
	}
	return domain.TimelineItem{At: now.Add(-ago), Kind: kind, Detail: raw}
}

func talk() *Conversation {
	t := inboxRows()[0].Thread
	t.LastInbound, t.Answered, t.VisitorRead = 6, 4, 6
	answer := msg(4, 24*time.Hour, domain.AuthorAgent, "Ava", "Every **Commuter** comes with lights front and rear.\n\n- the rear light is mounted\n- the front light lies in the *accessory box*\n\nSee [the unpacking guide](https://acme.example/unpacking).")
	answer.ContentType = domain.Markdown
	answer.Citations = []domain.Citation{
		{Title: "Unpacking your bicycle", URL: "https://acme.example/unpacking", Snippet: "The accessory box is fixed under the saddle and holds the front light, the bell and the pedals."},
		{Title: "What is in the box", Snippet: "Front light, rear light, bell, pedals, tool."},
	}
	return &Conversation{
		Thread: t, Contact: inboxRows()[0].Contact, Agent: "Ava", Now: now, Search: "?tab=waiting",
		Messages: []domain.Message{
			msg(1, 24*time.Hour+3*time.Minute, domain.AuthorVisitor, "Marta", "Hi! My new Commuter arrived today 🎉"),
			msg(2, 24*time.Hour+2*time.Minute, domain.AuthorVisitor, "Marta", "but I cannot find the front light anywhere."),
			msg(3, 24*time.Hour+90*time.Second, domain.AuthorVisitor, "Marta", "Is it supposed to be included?"),
			answer,
			msg(5, 9*time.Minute, domain.AuthorHuman, "Anna Lindqvist", "Hello Marta, this is Anna. Could you have a look under the saddle? The box is easy to miss."),
			msg(6, 40*time.Second, domain.AuthorVisitor, "Marta", "There is no box. Can somebody look at order 10442? The front light is missing."),
		},
		Moves: []domain.TimelineItem{
			item(23*time.Hour, domain.HandedOff, map[string]any{"reason": "the visitor asked for a person"}),
			item(10*time.Minute, domain.HumanJoined, map[string]any{"user_id": anna.ID, "name": "Anna Lindqvist"}),
			item(8*time.Minute, domain.NoteAdded, map[string]any{"user_id": anna.ID, "name": "Anna Lindqvist", "content": "Second report this week. Is the packing line skipping the box again?"}),
			item(5*time.Minute, domain.HandedOff, map[string]any{"reason": "Anna Lindqvist asked for another person"}),
		},
		Facts: Facts{
			Viewer: anna.ID, Page: domain.Page{URL: "https://acme.example/orders/10442", Title: "Order 10442", Referrer: "https://www.google.com/"},
			Language: "pt-PT", LocalTime: "14:32", Place: "Lisbon, Portugal", Campaign: "newsletter, autumn",
			Channel: domain.ChannelWebchat, Widget: "Shop", WidgetID: domain.WidgetID(id(50)), Agent: "Ava", FirstSeen: "Yesterday, 14:29", Identified: true,
		},
		Composer: Composer{Thread: t.ID, ClientID: id(900)},
	}
}

func everyItem() *Record {
	m1, m2 := domain.MessageID(id(101)), domain.MessageID(id(104))
	d, turn, second := domain.DispatchID(id(201)), domain.TurnID(id(301)), domain.TurnID(id(302))
	with := func(i domain.TimelineItem, m domain.MessageID, t domain.TurnID) domain.TimelineItem {
		i.MessageID, i.TurnID, i.DispatchID = m, t, d
		return i
	}
	ms := time.Millisecond
	r := &Record{
		Conversation: *talk(), Widget: "Shop",
		Lines: map[domain.MessageID]string{m1: "Is the front light supposed to be included?", m2: "Every Commuter comes with lights front and rear. The front light lies in the accessory box."},
		Items: []domain.TimelineItem{
			with(item(10*time.Minute, domain.MessageReceived, map[string]any{"routing": "dispatch_skipped", "reason": "no_agent"}), m1, ""),
			with(item(10*time.Minute, domain.DispatchSkip, map[string]any{"reason": "no_agent"}), "", ""),
			with(item(5*time.Minute, domain.MessageReceived, map[string]any{"routing": "dispatch_queued"}), m1, ""),
			with(item(5*time.Minute, domain.DuplicateIgnored, map[string]any{"client_id": "a1"}), m1, ""),
			with(item(5*time.Minute-2*ms, domain.DispatchQueuedAt, map[string]any{"from_seq": 1, "to_seq": 1}), "", ""),
			with(item(5*time.Minute-500*ms, domain.DispatchExtended, map[string]any{"to_seq": 2}), "", ""),
			with(item(5*time.Minute-1300*ms, domain.TurnStarted, map[string]any{"agent_name": "Ava", "attempt": 1, "waited_ms": 1300, "status": "failed", "took_ms": 700}), "", turn),
			with(item(5*time.Minute-2000*ms, domain.TurnFailure, map[string]any{"error": "the service did not answer within 30 s"}), "", turn),
			with(item(5*time.Minute-2000*ms, domain.RetryScheduled, map[string]any{"at": now.Add(-4 * time.Minute), "attempt": 2}), "", turn),
			with(item(4*time.Minute, domain.TurnStarted, map[string]any{"agent_name": "Ava", "attempt": 2, "waited_ms": 61000, "status": "done", "took_ms": 1950}), "", second),
			with(item(4*time.Minute-100*ms, domain.ToolCall, map[string]any{"tool": "search_knowledge", "arguments": map[string]any{"query": "front light"}}), "", second),
			with(item(4*time.Minute-140*ms, domain.ToolResult, map[string]any{"tool": "search_knowledge", "found": 2}), "", second),
			with(item(4*time.Minute-1900*ms, domain.ModelCall, map[string]any{"model": "llama-3.3-70b", "ms": 1740, "prompt_tokens": 812, "completion_tokens": 96, "cost_usd": 0.0021}), "", second),
			with(item(4*time.Minute-1950*ms, domain.ReplyStored, map[string]any{}), m2, second),
			with(item(4*time.Minute-1990*ms, domain.Delivered, map[string]any{"transport": "websocket"}), m2, ""),
			item(3*time.Minute, domain.Read, map[string]any{"by": "visitor", "seq": 4}),
			item(3*time.Minute, domain.Read, map[string]any{"by": "team", "seq": 4}),
			item(3*time.Minute-time.Second, domain.HandedOff, map[string]any{"reason": "the visitor asked for a person"}),
			item(2*time.Minute, domain.HumanJoined, map[string]any{"user_id": anna.ID, "name": anna.Name}),
			item(2*time.Minute-time.Second, domain.NoteAdded, map[string]any{"user_id": anna.ID, "name": anna.Name, "content": "Second report this week."}),
			with(item(2*time.Minute-2*time.Second, domain.ReplySuppressed, map[string]any{"reason": "the conversation had changed hands", "content": "Let me look that up for you."}), "", domain.TurnID(id(303))),
			item(90*time.Second, domain.SuggestionStored, map[string]any{"content": "We will send you the light today."}),
			item(80*time.Second, domain.HandedBack, map[string]any{"user_id": anna.ID, "name": anna.Name}),
			with(item(70*time.Second, domain.DispatchDied, map[string]any{"error": "connection refused", "attempts": 3}), "", domain.TurnID(id(304))),
			with(item(70*time.Second, domain.ReplyStored, map[string]any{"fallback": true}), m2, ""),
			item(60*time.Second, domain.Rated, map[string]any{"score": 4, "comment": "fast"}),
			item(50*time.Second, domain.Closed, map[string]any{"user_id": anna.ID, "name": anna.Name}),
			item(40*time.Second, domain.Reopened, map[string]any{}),
			item(30*time.Second, "something_new", map[string]any{"a": 1}),
		},
	}
	return r
}

func shopWidget() domain.Widget {
	return domain.Widget{
		ID: domain.WidgetID(id(50)), Key: "wid_7Kq2ZpT0aVw9XyB3cD4eF5", Name: "Shop", Enabled: true, AgentID: ava.ID, WebchatEnabled: true,
		AllowedOrigins: []string{"https://acme.example", "https://*.acme.example"}, DailyCap: 500, RateMessages: 20, RateWindowSecs: 60,
		FallbackText: domain.DefaultFallbackText,
		Appearance: domain.Appearance{
			Title: "Chat with Acme", Greeting: "Hi! Ask us anything about bicycles.", PrimaryColor: "#0c6b58", TextColor: "#ffffff",
			Position: domain.BottomRight, ContactInfoMode: domain.ContactInfoOptional, Collect: []string{"name", "email"},
		},
	}
}

func agentForm(a domain.Agent) AgentForm {
	return AgentForm{Frame: frame(AgentsSection, a.Name), Agent: a, Form: ui.Form{Values: AgentValues(a)}, Widgets: []string{"Shop"}}
}

func articles() []domain.Article {
	return []domain.Article{
		{
			ID: domain.ArticleID(id(60)), Title: "Shipping times and costs", URL: "https://acme.example/help/shipping", Language: "english", UpdatedAt: now.Add(-4 * time.Minute),
			Content: "# Shipping\n\nWe ship from **Porto** on the day you order.\n\n- [Standard](https://acme.example/standard) takes two to three working days within the EU\n- Express is there the next day\n\n| to | costs |\n|---|---|\n| Portugal | €4 |\n| Sweden | €9 |\n",
		},
		{ID: domain.ArticleID(id(61)), Title: "Returns", URL: "/demo#returns", Language: "english", UpdatedAt: now.Add(-50 * time.Hour), Content: "Send back any unused part within 30 days. It costs you nothing."},
		{ID: domain.ArticleID(id(62)), Title: "Öffnungszeiten", Language: "german", UpdatedAt: now.Add(-400 * 24 * time.Hour), Content: "Montag bis Freitag von 9 bis 18 Uhr, samstags bis 14 Uhr."},
	}
}

func articleForm(a domain.Article) ArticleForm {
	return ArticleForm{Frame: frame(KnowledgeSection, a.Title), Article: a, Form: ui.Form{Values: ArticleValues(a)}, Languages: []string{"english", "german", "simple", "swedish"}}
}

// attached are a picture, a document, and a file whose sender means no good.
func attached() []domain.Attachment {
	return []domain.Attachment{
		{ID: "f1", Name: "bicycle.png", Size: 245_000, Mime: "image/png", URL: "/files/t1/bicycle.png"},
		{ID: "f2", Name: "invoice 10442.pdf", Size: 1_800_000, Mime: "application/pdf", URL: "/files/t2/invoice.pdf"},
		{ID: "f3", Name: hostile, Size: 12, Mime: "text/plain", URL: "javascript:alert(1)"},
	}
}

// whyAnswered asks about an answer that a model gave from the knowledge, at the second attempt.
func whyAnswered() *Why {
	r := everyItem()
	d, turn := domain.DispatchID(id(201)), domain.TurnID(id(302))
	for _, i := range []domain.TimelineItem{
		item(4*time.Minute-110*time.Millisecond, domain.ToolCall, map[string]any{"name": "search_knowledge", "query": "front lihgt"}),
		item(4*time.Minute-150*time.Millisecond, domain.ToolResult, map[string]any{"name": "search_knowledge", "hits": 2, "ms": 40, "confidence": 0.62, "min_confidence": 0.25, "query": "front lihgt", "understood": "front light",
			"passages": []map[string]any{{"title": "Unpacking your bicycle", "url": "https://acme.example/unpacking", "snippet": "The accessory box is fixed under the saddle.", "confidence": 0.62}, {"title": hostile, "url": "javascript:alert(1)", "snippet": hostile + long, "confidence": 0.31}}}),
		item(4*time.Minute-1910*time.Millisecond, domain.ModelCall, map[string]any{"model": "llama-3.3-70b", "ms": 900, "prompt": []map[string]any{{"role": "system", "content": "Be kind. " + hostile}, {"role": "user", "content": long}}, "response": hostile}),
	} {
		i.DispatchID, i.TurnID = d, turn
		r.Items = append(r.Items, i)
	}
	m := talk().Messages[3]
	m.ID, m.TurnID = domain.MessageID(id(104)), turn
	return &Why{Record: *r, Message: m}
}

// whyPerson asks about a draft that a person changed before sending it.
func whyPerson() *Why {
	w := whyAnswered()
	w.Message = talk().Messages[4]
	w.Message.ID = domain.MessageID(id(105))
	edited := item(8*time.Minute, domain.SuggestionEdited, map[string]any{"name": anna.Name, "draft": "We will send you the light. " + hostile, "sent": "We have sent you the light today. " + hostile})
	edited.MessageID, edited.TurnID = w.Message.ID, domain.TurnID(id(302))
	w.Items = append(w.Items, edited)
	return w
}
