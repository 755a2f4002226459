package views

import (
	"maps"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/views/ui"
)

// gallery is every page in every state worth looking at, by a name that is also a file's.
func gallery() map[string]templ.Component {
	g := map[string]templ.Component{}
	doors(g)
	inboxes(g)
	conversations(g)
	agentPages(g)
	knowledgePages(g)
	widgetPages(g)
	replayPages(g)
	webhookPages(g)
	chatwootPages(g)
	ownersPages(g)
	return g
}

func doors(g map[string]templ.Component) {
	g["setup"] = Setup(Door{})
	g["setup-wrong"] = Setup(Door{Form: ui.Form{
		Values:   map[string]string{"organisation": hostile, "name": "Anna", "email": "anna@"},
		Problems: map[string]string{"email": "is not an e-mail address", "password": "needs at least 10 characters"},
	}})
	g["signin"] = SignIn(Door{})
	g["signin-wrong"] = SignIn(Door{Next: "/threads/" + hostile, Form: ui.Form{
		Values: map[string]string{"email": hostile}, Problem: "E-mail and password do not fit together.",
	}})
	g["signed-out"] = SignIn(Door{Notice: ui.Notice{Tone: ui.Green, Text: "You are signed out."}})
	g["signed-out-form"] = SignedOut("/knowledge", []Typed{{"title", hostile}, {"content", long}})
	g["join"] = JoinPage(Join{Token: "t0ken", Organisation: "Acme Bicycles", Email: "ben@acme.example"})
	g["join-wrong"] = JoinPage(Join{Token: hostile, Organisation: hostile, Email: hostile, Form: ui.Form{Values: map[string]string{"name": hostile}, Problems: map[string]string{"name": "must have at most 80 characters", "password": "must have at least 10 characters"}}})
	g["join-back"] = JoinPage(Join{Token: "t0ken", Organisation: "Acme Bicycles", Email: "ben@acme.example", Name: hostile, Back: true})
	g["join-over"] = JoinOver()
	for _, status := range []int{400, 403, 404, 409, 429, 500, 503} {
		g["problem-"+number(status)] = Problem(Trouble{Status: status, Detail: map[int]string{404: "There is no conversation " + hostile}[status], Ref: map[int]string{500: "a1b2c3"}[status]})
	}
}

func inboxes(g map[string]templ.Component) {
	g["inbox"] = InboxPage(Inbox{Frame: frame(InboxSection, "Inbox"), List: listing(TabOpen, inboxRows())})

	fresh := listing(TabOpen, nil)
	fresh.Fresh, fresh.Widgets, fresh.Counts = true, 0, nil
	g["inbox-first-run"] = InboxPage(Inbox{Frame: frame(InboxSection, "Inbox"), List: fresh})
	fresh.Agents, fresh.Articles, fresh.Widgets = 1, 11, 1
	g["inbox-first-visitor"] = InboxPage(Inbox{Frame: frame(InboxSection, "Inbox"), List: fresh})
	fresh.Demo = true
	g["inbox-first-demo"] = InboxPage(Inbox{Frame: frame(InboxSection, "Inbox"), List: fresh})
	for _, t := range Tabs {
		g["inbox-empty-"+string(t)] = InboxPage(Inbox{Frame: frame(InboxSection, "Inbox"), List: listing(t, nil)})
	}
	searched := listing(TabWaiting, nil)
	searched.Query = hostile
	g["inbox-search-empty"] = InboxPage(Inbox{Frame: frame(InboxSection, "Inbox"), List: searched})

	bad := inboxRows()
	bad[0].Contact.Name, bad[0].Preview = hostile, hostile
	bad[1].Contact.Name, bad[1].Preview = long, long
	many := listing(TabOpen, bad)
	for n := range 40 {
		r := inboxRows()[n%7]
		r.Thread.ID = domain.ThreadID(id(1000 + n))
		r.Thread.LastMessageAt = now.Add(-time.Duration(n*37) * time.Hour)
		many.Rows = append(many.Rows, r)
	}
	many.Next, many.Counts = "eyJhIjoxfQ", map[Tab]int{TabOpen: 1047, TabWaiting: 12, TabMine: 3, TabAgents: 1032, TabClosed: 20411}
	f := frame(InboxSection, "Inbox")
	f.Unread, f.Notice = 128, ui.Notice{Tone: ui.Green, Text: "The conversation is closed."}
	g["inbox-many"] = InboxPage(Inbox{Frame: f, List: many})
}

// open is the inbox page with a conversation beside the list.
func open(c *Conversation) templ.Component {
	l := listing(TabWaiting, inboxRows())
	l.Current = c.Thread.ID
	return InboxPage(Inbox{Frame: frame(InboxSection, ContactName(c.Contact)), List: l, Thread: c})
}

func conversations(g map[string]templ.Component) {
	g["thread"] = open(talk())

	mine := talk()
	mine.Thread.Handling, mine.Thread.AssigneeID, mine.Assignee, mine.Thread.TeamRead = domain.HandlingHuman, anna.ID, anna.Name, 6
	mine.Messages, mine.Thread.LastInbound, mine.Thread.LastSeq = mine.Messages[:5], 3, 5
	mine.Thread.Labels = []string{"shipping", "warranty"}
	g["thread-mine"] = open(mine)

	theirs := talk()
	theirs.Thread.Handling, theirs.Assignee = domain.HandlingHuman, "Tomás Reis"
	g["thread-colleague"] = open(theirs)

	left := talk()
	left.Thread.Handling, left.Silence = domain.HandlingAgent, SilentTrigger
	g["thread-unanswered"] = open(left)

	first := talk()
	first.Thread.Handling, first.Messages, first.Moves = domain.HandlingAgent, first.Messages[:1], nil
	first.Contact, first.Facts = contact(2, "", ""), Facts{Channel: "sms"}
	first.Agent = ""
	g["thread-first-line"] = open(first)

	suggested := talk()
	suggested.Composer.Suggestion = &Suggestion{Agent: "Order desk", Content: "I am sorry about that, Marta. I have asked the warehouse to send you a front light today; it should be with you on Tuesday.\n\n" + hostile}
	g["thread-suggestion"] = open(suggested)

	drafted := talk()
	drafted.Composer.Suggestion = &Suggestion{Turn: domain.TurnID(id(310)), Agent: "Order desk", Outdated: true, Markdown: true,
		Content:   "Every **Commuter** comes with lights.\n\n1. look under the saddle\n2. tell us if it is not there\n\n" + hostile,
		Citations: []domain.Citation{{Title: "Unpacking your bicycle", URL: "https://acme.example/unpacking", Snippet: "The accessory box is fixed under the saddle."}, {Title: hostile, Snippet: long}}}
	drafted.Composer.Body = "Hello Marta, I am just looking at your"
	g["thread-suggestion-outdated"] = open(drafted)

	files := talk()
	files.Messages[2].Attachments = attached()
	files.Messages[4].Attachments = attached()[1:]
	files.Composer.Refusal = "The file “holiday.mov” is too large"
	files.Facts.Device, files.Facts.FirstPage = "Firefox on Android, a phone", domain.Step{URL: "https://acme.example/", Title: "Acme Bicycles", At: now.Add(-time.Hour)}
	files.Facts.Trail = []domain.Step{files.Facts.FirstPage, {URL: "https://acme.example/commuter", Title: long, At: now.Add(-time.Minute)}, {URL: "javascript:alert(1)", Title: hostile, At: now}}
	g["thread-files"] = open(files)

	failed := talk()
	failed.Failure = "connection refused after 3 attempts " + hostile
	g["thread-failed"] = open(failed)

	lost := talk()
	lost.Dead = []DeadDelivery{{ID: domain.DeliveryID(id(960)), Transport: "reply_url", Target: "https://sms.example/" + long, Error: "it answered with status 503", At: now}, {ID: domain.DeliveryID(id(961)), Transport: "mail", Target: hostile, Error: hostile, At: now}}
	g["thread-undelivered"] = open(lost)

	filled := talk()
	filled.Facts.Forms = []FilledForm{{At: now.Add(-time.Hour), Name: hostile, Email: hostile, Message: long}, {At: now.Add(-time.Hour * 40), Phone: "+351 912 345 678"}}
	g["thread-forms"] = open(filled)

	wrong := talk()
	wrong.Composer.Problem, wrong.Composer.Body, wrong.Composer.Note = "is longer than 4000 characters", long, true
	g["thread-reply-wrong"] = open(wrong)

	closed := talk()
	closed.Thread.Handling = domain.HandlingClosed
	closed.Moves = append(closed.Moves,
		item(30*time.Second, domain.Rated, map[string]any{"score": 5, "comment": hostile}),
		item(20*time.Second, domain.Closed, map[string]any{"name": hostile}))
	g["thread-closed"] = open(closed)

	bad := talk()
	bad.Contact = domain.Contact{ID: domain.ContactID(id(9)), Name: hostile, Email: hostile, Phone: hostile, ExternalID: hostile}
	bad.Facts = Facts{Page: domain.Page{URL: "javascript:alert(1)", Title: hostile, Referrer: hostile}, Language: hostile, Widget: hostile, Agent: hostile}
	bad.Earlier = true
	for i := range bad.Messages {
		bad.Messages[i].Content = hostile + "\n\n" + long
	}
	bad.Messages[3].Content = "[x](javascript:alert(1)) ![y](https://evil.example/leak.png) " + hostile
	bad.Messages[3].Citations = []domain.Citation{{Title: hostile, URL: "javascript:alert(1)", Snippet: hostile}}
	bad.Messages[5].Author.Kind = domain.AuthorSystem
	g["thread-hostile"] = open(bad)

	r := everyItem()
	l := listing(TabOpen, inboxRows())
	l.Current = r.Thread.ID
	g["record"] = InboxPage(Inbox{Frame: frame(InboxSection, "Flight recorder"), List: l, Record: r})
	part := *r
	part.Begin, part.Earlier, part.Later = "1-2-3", true, true
	g["record-part"] = InboxPage(Inbox{Frame: frame(InboxSection, "Flight recorder"), List: l, Record: &part})
	for name, w := range map[string]*Why{"why": whyAnswered(), "why-person": whyPerson(), "why-nothing": {Record: Record{Conversation: *talk()}, Message: talk().Messages[3]}} {
		g[name] = InboxPage(Inbox{Frame: frame(InboxSection, "Why did it say that?"), List: l, Why: w})
	}
	none := *r
	none.Items = nil
	none.Silence = SilentUnbound
	g["record-empty"] = InboxPage(Inbox{Frame: frame(InboxSection, "Flight recorder"), List: l, Record: &none})
}

func agentPages(g map[string]templ.Component) {
	kinds := []domain.AgentKind{domain.AgentBuiltin, domain.AgentWebSocket}
	g["agents-empty"] = AgentsPage(Agents{Frame: frame(AgentsSection, "Agents"), Kinds: kinds})
	off, odd := ava, courier
	off.ID, off.Name, off.Enabled = "off", long, false
	odd.ID, odd.Name = "odd", hostile
	g["agents"] = AgentsPage(Agents{Frame: frame(AgentsSection, "Agents"), Kinds: kinds, Rows: []AgentRow{
		{Agent: ava, Widgets: []string{"Shop", "Help centre"}, LastSuccess: now.Add(-4 * time.Minute)},
		{Agent: courier, LastSuccess: now.Add(-30 * time.Hour)},
		{Agent: odd, Widgets: []string{hostile}, LastError: hostile},
		{Agent: off},
	}})
	away := domain.AgentHealth{}
	away.Circuit = domain.CircuitOpen
	away.OpenedAt, away.Waiting = now.Add(-7*time.Minute), 3
	g["agents-away"] = AgentsPage(Agents{Frame: frame(AgentsSection, "Agents"), Kinds: kinds, Rows: []AgentRow{{Agent: courier, Widgets: []string{"Shop"}, LastError: "the service did not answer within 30 s", Health: away}}})
	gone := agentForm(courier)
	gone.Health = AgentHealth{AgentHealth: away, LastSuccess: now.Add(-time.Hour), LastError: "Connection refused " + hostile, LastErrorAt: now.Add(-time.Minute), Events: []AgentEvent{
		{Kind: domain.CircuitOpened, At: now.Add(-7 * time.Minute), Error: "Connection refused."}, {Kind: "circuit_closed", At: now.Add(-30 * time.Hour)}}}
	g["agent-away"] = AgentFormPage(gone)
	g["agent-kinds"] = AgentKinds(Agents{Frame: frame(AgentsSection, "New agent"), Kinds: kinds})

	fresh := ava
	fresh.ID, fresh.Name = "", ""
	g["agent-new"] = AgentFormPage(agentForm(fresh))
	taught := agentForm(ava)
	taught.Articles = 11
	g["agent"] = AgentFormPage(taught)
	service := agentForm(courier)
	service.Test = &domain.AgentTest{OK: true, ConnectMS: 4.2, FirstResponseMS: 1340, Response: "Hello! How can I help you with your order?"}
	g["agent-tested"] = AgentFormPage(service)
	service.Form.Values = maps.Clone(service.Form.Values)
	service.Test = &domain.AgentTest{Error: "connection refused " + hostile}
	service.Form.Values["config.url"], service.Form.Values["config.max_responses"] = hostile, "many"
	service.Form.Problems = map[string]string{"config.url": "must begin with ws:// or wss://", "config.max_responses": "must be a whole number"}
	g["agent-wrong"] = AgentFormPage(service)
}

func knowledgePages(g map[string]templ.Component) {
	f := frame(KnowledgeSection, "Knowledge")
	g["knowledge-empty"] = KnowledgePage(Knowledge{Frame: f})
	g["knowledge"] = KnowledgePage(Knowledge{Frame: f, Articles: articles()})
	asked := Knowledge{Frame: f, Articles: articles(), Question: "how long does shipping to Sweden take?", Found: []domain.Passage{
		{Article: articles()[0].ID, Title: articles()[0].Title, Snippet: "We ship from Porto on the day you order. Standard delivery takes two to three working days within the EU."},
		{Article: articles()[1].ID, Title: articles()[1].Title, Snippet: "Sending something back costs nothing within 30 days."},
	}}
	g["knowledge-asked"] = KnowledgePage(asked)
	asked.Found, asked.Question = nil, "do you sell helicopters?"
	g["knowledge-asked-in-vain"] = KnowledgePage(asked)

	many := Knowledge{Frame: f, Question: hostile, Found: []domain.Passage{{Article: hostile, Title: hostile, URL: "javascript:alert(1)", Snippet: hostile + long}}}
	for n := range 40 {
		a := articles()[n%3]
		a.ID, a.UpdatedAt = domain.ArticleID(id(2000+n)), now.Add(-time.Duration(n*37)*time.Hour)
		many.Articles = append(many.Articles, a)
	}
	many.Articles[0].Title, many.Articles[0].URL, many.Articles[0].Content, many.Articles[0].Language = hostile, "javascript:alert(1)//"+hostile, hostile, hostile
	many.Articles[1].Title, many.Articles[1].URL, many.Articles[1].Content = long, "https://acme.example/"+strings.ReplaceAll(long, " ", "-"), long+long
	g["knowledge-many"] = KnowledgePage(many)

	paste := Paste{Frame: f, Languages: []string{"english", "german"}, Form: ui.Form{Values: map[string]string{"language": "english", "classification": "PUBLIC"}}}
	g["paste"] = PastePage(paste)
	empty := paste
	empty.Form.Problems = map[string]string{"text": "is needed, or a file"}
	g["paste-wrong"] = PastePage(empty)
	paste.Found = []Pasted{{Title: "Shipping", Content: "We ship from **Porto**."}, {Title: hostile, Content: "</textarea>" + hostile, URL: hostile, Problem: "The title is longer than 200 characters."}}
	paste.Form.Problem = "Nothing was saved yet. Mend what is marked below."
	g["paste-found"] = PastePage(paste)

	site := Site{Frame: f, Languages: paste.Languages, Form: ui.Form{Values: map[string]string{"language": "english", "classification": "PUBLIC"}}}
	g["site"] = SitePage(site)
	site.Last = domain.SiteImport{OrgID: "o", Sitemap: "https://acme.example/sitemap.xml", Status: domain.ImportRunning, Pages: 48, Read: 17}
	g["site-reading"] = SitePage(site)
	site.Last.Status, site.Last.Added, site.Last.Failed = domain.ImportDone, 46, map[string]string{"https://acme.example/" + hostile: hostile, "https://acme.example/a.pdf": "it is \"application/pdf\", not a page"}
	g["site-read"] = SitePage(site)
	site.Last.Status, site.Last.Failed, site.Last.Error = domain.ImportFailed, nil, "the sitemap could not be read: answered with status 404"
	site.Form.Problems = map[string]string{"sitemap": "must be an address that starts with https:// or http://"}
	g["site-failed"] = SitePage(site)

	g["article-new"] = ArticleFormPage(articleForm(domain.Article{Language: "english"}))
	g["article"] = ArticleFormPage(articleForm(articles()[0]))
	wrong := articleForm(articles()[1])
	wrong.Article.Title = hostile
	wrong.Form.Values = map[string]string{"title": "", "url": hostile, "content": "</textarea>" + hostile, "language": hostile}
	wrong.Form.Problems = map[string]string{"title": "is needed", "url": "must start with https://, http:// or /", "language": "must be one of english, german"}
	g["article-wrong"] = ArticleFormPage(wrong)
}

func widgetPages(g map[string]templ.Component) {
	g["widgets-empty"] = WidgetsPage(Widgets{Frame: frame(WidgetsSection, "Widgets")})
	help, odd := shopWidget(), shopWidget()
	help.ID, help.Name, help.WebchatEnabled, help.AllowedOrigins = domain.WidgetID(id(51)), "Help centre", false, nil
	help.Appearance.PrimaryColor = "#5b3fd6"
	odd.ID, odd.Name, odd.Appearance.PrimaryColor, odd.Appearance.TextColor = domain.WidgetID(id(52)), hostile+long, hostile, hostile
	g["widgets"] = WidgetsPage(Widgets{Frame: frame(WidgetsSection, "Widgets"), Rows: []WidgetRow{
		{Widget: shopWidget(), Agent: ava}, {Widget: help, Agent: courier}, {Widget: odd},
	}})

	form := func(w domain.Widget) WidgetForm {
		return WidgetForm{Frame: frame(WidgetsSection, w.Name), Widget: w, Form: ui.Form{Values: WidgetValues(w)}, Agents: []domain.Agent{ava, courier}, PublicURL: "https://chat.acme.example"}
	}
	fresh := shopWidget()
	fresh.ID, fresh.Key, fresh.Name = "", "", ""
	g["widget-new"] = WidgetFormPage(form(fresh))
	g["widget"] = WidgetFormPage(form(shopWidget()))
	made := form(help)
	made.Secret, made.PublicURL = "pis_5d1f0c7b2a9e4438b6a1c2d3e4f50617", "http://chat.acme.example"
	made.Frame.Notice = ui.Notice{Tone: ui.Green, Text: "The widget is ready."}
	g["widget-created"] = WidgetFormPage(made)
	wrong := form(shopWidget())
	wrong.Form.Values["name"], wrong.Form.Values["allowed_origins"], wrong.Form.Values["daily_message_cap"] = "", hostile, "lots"
	wrong.Form.Problems = map[string]string{"name": "is missing", "allowed_origins": "line 1 is not an address like https://www.example.com", "daily_message_cap": "is not a number", "agent_id": "does not exist any more"}
	g["widget-wrong"] = WidgetFormPage(wrong)
	g["widget-preview"] = WidgetPreview(shopWidget())
}

func webhookPages(g map[string]templ.Component) {
	f := frame(WebhooksSection, "Webhooks")
	g["webhooks-empty"] = WebhooksPage(Webhooks{Frame: f})
	ok := domain.Webhook{ID: domain.WebhookID(id(900)), URL: "https://shop.example/parley", Enabled: true, Kinds: []domain.TimelineKind{domain.MessageReceived, domain.HandedOff}, UpdatedAt: now}
	fails, gone, odd := ok, ok, ok
	fails.Kinds, fails.FailingSince, fails.PreviousUntil = domain.WebhookKinds()[:7], now.Add(-26*time.Hour), now.Add(20*time.Hour)
	gone.Enabled, gone.Kinds, gone.DisabledReason = false, nil, "It answered with status 410: it is gone."
	odd.URL, odd.DisabledReason, odd.Enabled = "javascript:"+hostile+long, hostile, false
	g["webhooks"] = WebhooksPage(Webhooks{Frame: f, Hooks: []domain.Webhook{ok, fails, gone, odd}})
	form := func(h domain.Webhook) WebhookForm {
		return WebhookForm{Frame: f, Hook: h, Form: ui.Form{Values: WebhookValues(h)}}
	}
	g["webhook-new"] = WebhookPage(WebhookForm{Frame: f, Form: ui.Form{Values: map[string]string{"enabled": "on", "id": id(901)}}})
	made := form(ok)
	made.Secret = "whsec_5d1f0c7b2a9e4438b6a1c2d3e4f50617a9e4438b6a1c"
	g["webhook-created"] = WebhookPage(made)
	wrong := form(odd)
	wrong.Form.Values, wrong.Form.Problems = map[string]string{"url": hostile, "kinds": hostile}, map[string]string{"url": "must start with https:// or http:// and name a host", "kinds": "has no kind " + hostile}
	g["webhook-wrong"] = WebhookPage(wrong)
	logged := form(fails)
	for n, status := range []string{"queued", "queued", "running", "done", "dead"} {
		logged.Log = append(logged.Log, domain.WebhookDelivery{ID: domain.DeliveryID(id(910 + n)), ThreadID: domain.ThreadID(id(1)), Kind: domain.WebhookKinds()[n], Status: status,
			Attempts: n, CreatedAt: now.Add(-time.Duration(n) * time.Minute), Payload: []byte(`{"kind":"rated","message":{"content":"\u003cscript\u003e"}}`)})
	}
	logged.Log[1].LastError = "it answered with status 503"
	logged.Log[3].AnswerStatus, logged.Log[3].Answer = 200, hostile
	logged.Log[4].Kind, logged.Log[4].LastError, logged.Log[4].Payload = hostile, hostile, []byte(hostile)
	logged.More = true
	g["webhook"] = WebhookPage(logged)
}

func chatwootPages(g map[string]templ.Component) {
	f := frame(ChatwootSection, "Chatwoot")
	agents := []domain.Agent{ava, courier}
	g["chatwoots-empty"] = ChatwootsPage(Chatwoots{Frame: f})
	account := func(n int, name, config string) domain.Channel {
		return domain.Channel{ID: domain.ChannelID(id(n)), Name: name, Kind: domain.ChannelChatwoot, Enabled: true, AgentID: ava.ID, Token: "t", Secret: "s", Config: []byte(config)}
	}
	ok := account(960, "chatwoot", `{"base_url":"https://app.chatwoot.com","account_id":"7","inboxes":[{"inbox_id":"1","agent_id":"`+string(courier.ID)+`"},{"inbox_id":"2"}],"fallback_text":"Sorry."}`)
	off, odd, bare := account(961, "second", `{"base_url":"http://192.168.1.4:3000","account_id":"1","inboxes":[]}`), account(962, hostile+long, `{"base_url":"javascript:alert(1)`+long+`","account_id":"<b>","inboxes":[{"inbox_id":"<i>"}],"fallback_text":"</textarea>"}`), ok
	off.Enabled, odd.Secret, bare.ID, bare.Token = false, "", domain.ChannelID(id(963)), ""
	g["chatwoots"] = ChatwootsPage(Chatwoots{Frame: f, Accounts: []domain.Channel{ok, off, odd, bare}, Dead: map[domain.ChannelID]int{odd.ID: 3}})
	form := func(c domain.Channel) ChatwootForm {
		return ChatwootForm{Frame: f, Account: c, Agents: agents, Webhook: "https://chat.acme.example" + c.WebhookPath(), Form: ui.Form{Values: ChatwootValues(c)}}
	}
	g["chatwoot-new"] = ChatwootPage(ChatwootForm{Frame: f, Agents: agents, Webhook: "https://chat.acme.example/webhook/chatwoot/" + id(964), Form: ui.Form{Values: map[string]string{"name": "chatwoot", "enabled": "on", "signed": "on", "id": id(964), "config.fallback_text": domain.ChatwootFallback}}})
	tested := form(ok)
	tested.Test = &domain.ChannelTest{OK: true, MS: 48.2, Inboxes: []domain.ChannelInbox{{ID: "1", Name: "Website"}, {ID: "2", Name: hostile}}}
	g["chatwoot"] = ChatwootPage(tested)
	wrong := form(odd)
	wrong.Form.Problems = map[string]string{"config.base_url": "must start with https:// or http:// and name a host", "config.inboxes.0.inbox_id": "is not an id", "config.inboxes": hostile, "secret": "is needed to tell what is signed"}
	wrong.Test = &domain.ChannelTest{Error: "it answered with status 401: check the access token"}
	g["chatwoot-wrong"] = ChatwootPage(wrong)
	waiting := form(ok)
	waiting.Posts = []ChatwootPost{{ID: domain.DeliveryID(id(970)), Thread: domain.ThreadID(id(1)), At: now.Add(-time.Second)},
		{ID: domain.DeliveryID(id(971)), Thread: domain.ThreadID(id(1)), Attempts: 3, Error: "it answered with status 503", At: now.Add(-time.Minute)},
		{ID: domain.DeliveryID(id(972)), Thread: domain.ThreadID(id(2)), Dead: true, Attempts: 1, Error: "it answered with status 404: there is no such account or conversation", At: now.Add(-26 * time.Hour)},
		{ID: domain.DeliveryID(id(973)), Thread: domain.ThreadID(id(3)), Dead: true, Attempts: 98, Error: hostile, At: now.Add(-50 * time.Hour)}}
	waiting.More = true
	g["chatwoot-waiting"] = ChatwootPage(waiting)
}

func teamPages(g map[string]templ.Component) {
	team := Team{Frame: frame(TeamSection, "Team"), People: []domain.User{anna}, Form: ui.Form{Values: map[string]string{"role": "member"}}}
	g["team-alone"] = TeamPage(team)
	ben, odd := anna, anna
	ben.ID, ben.Name, ben.Email, ben.Role = domain.UserID(id(970)), "", "ben@acme.example", domain.RoleMember
	odd.ID, odd.Name, odd.Email = domain.UserID(id(971)), hostile+long, long+"@acme.example"
	team.People = append(team.People, ben, odd)
	asked := domain.Invitation{ID: domain.InvitationID(id(972)), Email: "cleo@acme.example", Role: domain.RoleOwner, InvitedBy: odd.ID, CreatedAt: now, ExpiresAt: now.Add(7 * 24 * time.Hour)}
	lost, soon := asked, asked
	lost.ID, lost.UserID, lost.Email, lost.InvitedBy, lost.ExpiresAt = domain.InvitationID(id(973)), ben.ID, ben.Email, anna.ID, now.Add(-time.Hour)
	soon.ID, soon.Email, soon.Role, soon.InvitedBy, soon.ExpiresAt = domain.InvitationID(id(974)), hostile+long, domain.RoleMember, "", now.Add(time.Hour)
	team.Invitations = []domain.Invitation{asked, lost, soon}
	g["team"] = TeamPage(team)
	mailed := team
	mailed.Mails, mailed.Invitations = true, nil
	for n, m := range []*domain.InvitationMail{nil, {Status: "queued", At: now}, {Status: "running", Attempts: 1, At: now}, {Status: "done", Attempts: 1, At: now.Add(-5 * time.Minute)},
		{Status: "queued", Attempts: 3, Error: "dial tcp 192.0.2.7:587: connect: connection refused", At: now}, {Status: "dead", Attempts: 1, Error: hostile + long, At: now}} {
		i := asked
		i.ID, i.Mail = domain.InvitationID(id(990+n)), m
		mailed.Invitations = append(mailed.Invitations, i)
	}
	mailed.Frame.Notice = MailNotice(mailed.Invitations[1])
	g["team-mails"] = TeamPage(mailed)
	mailed.Frame.Notice = MailNotice(mailed.Invitations[5])
	mailed.Form = ui.Form{Values: map[string]string{"email": "cleo@acme.example", "role": "owner"}, Problem: "They were mailed several times within the hour: wait a while, or send them the link yourself."}
	g["team-mails-throttled"] = TeamPage(mailed)
	team.Made, team.Link = asked, "https://chat.acme.example/join?token=q83vEjRWeJ4q83vEjRWeJ4q83vEjRWeJ4q83vEjRWe0"
	g["team-link"] = TeamPage(team)
	team.Link, team.Form = "", ui.Form{Values: map[string]string{"email": hostile, "role": hostile}, Problems: map[string]string{"email": "belongs to somebody with a login"}}
	g["team-wrong"] = TeamPage(team)
	team.Form = ui.Form{Problem: "This is the last owner: make somebody else an owner first."}
	g["team-refused"] = TeamPage(team)
	g["profile"] = ProfilePage(Profile{Frame: frame(ProfileSection, "Your account"), Name: ui.Form{Values: map[string]string{"name": anna.Name}}})
	g["profile-wrong"] = ProfilePage(Profile{Frame: frame(ProfileSection, "Your account"), Name: ui.Form{Values: map[string]string{"name": hostile}, Problems: map[string]string{"name": "is needed"}}})
	g["profile-password-wrong"] = ProfilePage(Profile{Frame: frame(ProfileSection, "Your account"), Name: ui.Form{Values: map[string]string{"name": hostile}}, Password: ui.Form{Problems: map[string]string{"current": "is wrong"}}})
}

func ownersPages(g map[string]templ.Component) {
	teamPages(g)
	settings := Settings{Frame: frame(SettingsSection, "Settings"), Form: ui.Form{Values: SettingsValues(domain.Recording{Content: domain.RecordMetadata, Days: 90})}}
	g["settings"] = SettingsPage(settings)
	settings.More = true
	settings.Dead = []DeadDelivery{{ID: domain.DeliveryID(id(960)), Thread: domain.ThreadID(id(1)), Transport: "mail", Target: "anna@acme.example", Error: "connection refused", Attempts: 41, At: now.Add(-time.Hour)}, {ID: domain.DeliveryID(id(961)), Transport: "reply_url", Target: "https://" + hostile + long, Error: hostile + long, Attempts: 1, At: now}}
	settings.Form = ui.Form{Values: map[string]string{"record_content": "off", "record_days": hostile}, Problems: map[string]string{"record_days": "must be a whole number"}}
	g["settings-wrong"] = SettingsPage(settings)
	keys := Keys{Frame: frame(SettingsSection, "API keys"), Form: ui.Form{Values: map[string]string{"id": id(950), "scope": "read", "days": "365"}}, Address: "https://chat.acme.example"}
	g["keys-empty"] = KeysPage(keys)
	keys.Made, keys.Secret = domain.APIKey{ID: domain.APIKeyID(id(951)), Name: "Warehouse", Prefix: "parley_4Qm0", Scope: domain.ScopeWrite, CreatedAt: now, ExpiresAt: now.AddDate(1, 0, 0)}, "parley_4Qm0JhX1y2Zq3Wc4Vb5Nn6Mm7Kk8Ll9Pp0Oo1Ii2"
	odd, soon, over := keys.Made, keys.Made, keys.Made
	odd.ID, odd.Name, odd.Scope, odd.ExpiresAt = domain.APIKeyID(id(952)), hostile+long, domain.ScopeAdmin, time.Time{}
	soon.ID, soon.Name, soon.Scope, soon.LastUsedAt, soon.ExpiresAt = domain.APIKeyID(id(953)), "Reports", domain.ScopeRead, now.Add(-time.Hour), now.AddDate(0, 0, 4)
	over.ID, over.Name, over.ExpiresAt = domain.APIKeyID(id(954)), "Old shop", now.Add(-time.Hour)
	keys.Keys = []domain.APIKey{keys.Made, odd, soon, over}
	g["keys"] = KeysPage(keys)
	keys.Made, keys.Secret = domain.APIKey{}, ""
	keys.Form = ui.Form{Values: map[string]string{"name": hostile, "scope": hostile, "days": hostile}, Problems: map[string]string{"name": "must have at most 80 characters", "scope": "must be one of read, write, admin"}}
	g["keys-wrong"] = KeysPage(keys)
	daily := 5.0
	budget := Budget{Frame: frame(AgentsSection, "Budget"), Form: ui.Form{Values: BudgetValues(domain.Budgets{DailyUSD: &daily})}, SpentUSD: 1.2345}
	g["budget"] = BudgetPage(budget)
	budget.Form = ui.Form{Values: map[string]string{"daily_budget_usd": hostile}, Problems: map[string]string{"daily_budget_usd": "must be a number"}}
	g["budget-wrong"] = BudgetPage(budget)
}
