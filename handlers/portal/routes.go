package portal

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/parley-chat/parley/handlers/edge"
)

// Routes is every URL of the portal. Members work the inbox: they see how the chat is set up, and owners change it.
func (p *Portal) Routes(r chi.Router) {
	r.NotFound(p.strict(p.page(p.nowhere)).ServeHTTP)

	r.Group(func(r chi.Router) {
		r.Use(p.strict, p.sameOrigin())
		r.Get("/favicon.svg", p.page(p.favicon))
		r.Get("/setup", p.page(p.showSetup))
		r.Post("/setup", p.page(p.setUp))
		r.Get("/signin", p.page(p.showSignIn))
		r.With(p.limitSignIn()).Post("/signin", p.page(p.signIn))
		r.Post("/signout", p.page(p.signOut))
		r.Get("/join", p.page(p.showJoin))
		r.With(p.limitSignIn()).Post("/join", p.page(p.join))

		r.Group(func(r chi.Router) {
			r.Use(p.signedIn)
			r.Get("/", p.page(p.home))
			p.inboxRoutes(r)
			p.replayRoutes(r)
			p.agentRoutes(r)
			p.knowledgeRoutes(r)
			p.widgetRoutes(r)
			p.webhookRoutes(r)
			p.chatwootRoutes(r)
			p.keyRoutes(r)
			p.teamRoutes(r)
			r.Get("/account", p.page(p.showProfile))
			r.Post("/account", p.page(p.rename))
			r.With(p.limitSignIn()).Post("/account/password", p.page(p.changePassword))
			r.Get("/settings", p.page(forOwners(p.showSettings)))
			r.Post("/settings", p.page(forOwners(p.updateSettings)))
			r.Post("/settings/deliveries/{id}/retry", p.page(forOwners(p.retryDelivery)))
		})
		r.Group(func(r chi.Router) {
			r.Use(p.watching)
			p.watchRoutes(r)
		})
	})
}

// watchRoutes are what open pages ask for by themselves: hints that something has changed, and what that is.
func (p *Portal) watchRoutes(r chi.Router) {
	r.Get("/inbox/list", p.page(p.showList))
	r.Get("/inbox/stream", p.page(p.streamInbox))
	r.Get("/threads/{id}/messages", p.page(p.showLines))
	r.Get("/threads/{id}/stream", p.page(p.streamThread))
	r.Get("/threads/{id}/timeline/items", p.page(p.showHappenings))
	r.Post("/threads/{id}/read", p.page(p.read))
	r.Get("/knowledge/site/progress", p.page(forOwners(p.siteProgress)))
	r.Get("/replays/{id}/answers", p.page(p.showReplayAnswers))
	r.Get("/golden/rows", p.page(p.showGoldenRows))
	r.Get("/team/invitations/{id}", p.page(forOwners(p.showInvitation)))
}

func (p *Portal) inboxRoutes(r chi.Router) {
	r.Get("/inbox", p.page(p.showInbox))
	r.Get("/threads/{id}", p.page(p.showThread))
	r.Get("/threads/{id}/timeline", p.page(p.showRecord))
	r.Get("/threads/{id}/timeline.json", p.page(p.exportRecord))
	r.Get("/threads/{id}/why/{message}", p.page(p.showWhy))
	r.Post("/threads/{id}/reply", p.page(p.reply))
	r.Post("/threads/{id}/note", p.page(p.note))
	r.Post("/threads/{id}/takeover", p.page(p.moved(p.Chat.TakeOver)))
	r.Post("/threads/{id}/handback", p.page(p.moved(p.Chat.HandBack)))
	r.Post("/threads/{id}/retry", p.page(p.moved(p.Chat.Retry)))
	r.Post("/threads/{id}/close", p.page(p.moved(p.Chat.Close)))
	r.Post("/threads/{id}/transcript", p.page(p.mailTranscript))
	r.Post("/threads/{id}/deliveries/{delivery}/resend", p.page(p.resend))
	r.Post("/threads/{id}/typing", p.page(p.typing))
}

func (p *Portal) agentRoutes(r chi.Router) {
	r.Get("/agents", p.page(p.listAgents))
	r.Get("/agents/new", p.page(forOwners(p.newAgent)))
	r.Post("/agents", p.page(forOwners(p.createAgent)))
	r.Get("/agents/budget", p.page(forOwners(p.showBudget)))
	r.Post("/agents/budget", p.page(forOwners(p.updateBudget)))
	r.Get("/agents/{id}", p.page(p.showAgent))
	r.Post("/agents/{id}", p.page(forOwners(p.updateAgent)))
	r.Post("/agents/{id}/test", p.page(forOwners(p.testAgent)))
	r.Post("/agents/{id}/probe", p.page(forOwners(p.probeAgent)))
	r.Post("/agents/{id}/delete", p.page(forOwners(p.deleteAgent)))
}

func (p *Portal) knowledgeRoutes(r chi.Router) {
	r.Get("/knowledge", p.page(p.listArticles))
	r.Get("/knowledge/new", p.page(forOwners(p.newArticle)))
	r.Get("/knowledge/import", p.page(forOwners(p.showPaste)))
	r.Post("/knowledge/import", p.page(forOwners(p.paste)))
	r.Get("/knowledge/site", p.page(forOwners(p.showSite)))
	r.Post("/knowledge/site", p.page(forOwners(p.readSite)))
	r.Post("/knowledge", p.page(forOwners(p.createArticle)))
	r.Get("/knowledge/{id}", p.page(p.showArticle))
	r.Post("/knowledge/{id}", p.page(forOwners(p.updateArticle)))
	r.Post("/knowledge/{id}/delete", p.page(forOwners(p.deleteArticle)))
}

func (p *Portal) widgetRoutes(r chi.Router) {
	r.Get("/widgets", p.page(p.listWidgets))
	r.Get("/widgets/new", p.page(forOwners(p.newWidget)))
	r.Post("/widgets", p.page(forOwners(p.createWidget)))
	r.Get("/widgets/{id}", p.page(p.showWidget))
	r.Post("/widgets/{id}", p.page(forOwners(p.updateWidget)))
	r.Post("/widgets/{id}/trigger", p.page(forOwners(p.switchTrigger)))
	r.Get("/widgets/{id}/secret", p.page(forOwners(p.leaveSecret)))
	r.Post("/widgets/{id}/secret", p.page(forOwners(p.rotateSecret)))
	r.Post("/widgets/{id}/secret/end", p.page(forOwners(p.endSecret)))
	r.Post("/widgets/{id}/delete", p.page(forOwners(p.deleteWidget)))
	r.With(framed).Get("/widgets/{id}/preview", p.page(p.previewWidget))
}

func (p *Portal) webhookRoutes(r chi.Router) {
	r.Get("/webhooks", p.page(forOwners(p.listWebhooks)))
	r.Get("/webhooks/new", p.page(forOwners(p.newWebhook)))
	r.Post("/webhooks", p.page(forOwners(p.createWebhook)))
	r.Get("/webhooks/{id}", p.page(forOwners(p.showWebhook)))
	r.Post("/webhooks/{id}", p.page(forOwners(p.updateWebhook)))
	r.Get("/webhooks/{id}/secret", p.page(forOwners(p.leaveWebhookSecret)))
	r.Post("/webhooks/{id}/secret", p.page(forOwners(p.rotateWebhookSecret)))
	r.Post("/webhooks/{id}/deliveries/{delivery}/resend", p.page(forOwners(p.resendDelivery)))
	r.Post("/webhooks/{id}/delete", p.page(forOwners(p.deleteWebhook)))
}

func (p *Portal) chatwootRoutes(r chi.Router) {
	r.Get("/chatwoot", p.page(forOwners(p.listChatwoots)))
	r.Get("/chatwoot/new", p.page(forOwners(p.newChatwoot)))
	r.Post("/chatwoot", p.page(forOwners(p.createChatwoot)))
	r.Get("/chatwoot/{id}", p.page(forOwners(p.showChatwoot)))
	r.Post("/chatwoot/{id}", p.page(forOwners(p.updateChatwoot)))
	r.Post("/chatwoot/{id}/test", p.page(forOwners(p.testChatwoot)))
	r.Post("/chatwoot/{id}/retry", p.page(forOwners(p.retryChatwoot)))
	r.Post("/chatwoot/{id}/deliveries/{delivery}/retry", p.page(forOwners(p.retryChatwootPost)))
	r.Post("/chatwoot/{id}/delete", p.page(forOwners(p.deleteChatwoot)))
}

// page is h with its errors answered as pages.
func (p *Portal) page(h edge.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			p.fail(w, r, err)
		}
	}
}
