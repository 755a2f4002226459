package widget

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/lead"
	"github.com/parley-chat/parley/handlers/dialect"
	"github.com/parley-chat/parley/static"
	"github.com/parley-chat/parley/views"
)

// loader serves the script that sites embed. Its address never changes, so browsers look again every few minutes.
func (s *Surface) loader(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Accept-CH", lead.Hints)
	h.Set("Content-Type", "text/javascript; charset=utf-8")
	h.Set("Cache-Control", "public, max-age=300")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	tag(w, static.Body("widget/loader.js"))
	static.Serve(w, r, "widget/loader.js")
}

// publicConfig is all that a page may know of a widget.
type publicConfig struct {
	domain.Appearance
	Texts      map[string]string `json:"texts"` // wording of the owner's own, by the widget's names for its texts
	Available  bool              `json:"available"`
	OpensAt    *string           `json:"opens_at"`     // when hours are set and it is not within them
	Offline    bool              `json:"offline_form"` // show the form to a visitor without a conversation while nobody is available
	AgentName  string            `json:"agent_name"`   // of the agent that answers; empty when none does
	Limits     limits            `json:"limits"`
	Files      *accepted         `json:"attachments"` // null: it takes no files
	ChatURL    string            `json:"chat_url"`    // path of the script that holds the chat itself
	MoreURL    string            `json:"more_url"`    // and of what few visitors need of it
	LocaleURLs map[string]string `json:"locale_urls"` // paths of the scripts that hold its texts, by language; English it knows
}

// localeURLs are the languages that the widget has a file of texts for.
var localeURLs = func() map[string]string {
	urls := map[string]string{}
	for _, name := range static.Names() {
		file, ok := strings.CutPrefix(name, "widget/")
		if ok && file != "loader.js" && file != "chat.js" && file != "more.js" {
			urls[strings.TrimSuffix(file, ".js")] = static.Path(name)
		}
	}
	return urls
}()

// limits are what a widget tells its visitors they may send.
type limits struct {
	MaxMessageChars   int `json:"max_message_chars"`
	MessagesPerWindow int `json:"messages_per_window"`
	WindowSeconds     int `json:"window_seconds"`
	DailyMessageCap   int `json:"daily_message_cap"` // 0 = none
}

func limitsOf(w domain.Widget) limits {
	return limits{domain.MaxMessageChars, w.RateMessages, w.RateWindowSecs, w.DailyCap}
}

func (s *Surface) config(w http.ResponseWriter, r *http.Request) error {
	wid := widgetOf(r)
	agent, answers, err := s.chat.AnsweringAgent(r.Context(), wid)
	if err != nil {
		return err
	}
	if wid.Appearance.Collect == nil {
		wid.Appearance.Collect = []string{}
	}
	if wid.Texts == nil {
		wid.Texts = map[string]string{}
	}
	var opens *string
	now := time.Now()
	if at := wid.Hours.OpensAt(now); !at.IsZero() {
		stamp := dialect.Stamp(at)
		opens = &stamp
	}
	body, err := json.Marshal(publicConfig{
		Appearance: wid.Appearance, Texts: wid.Texts, Available: answers || wid.Hours.Open(now), OpensAt: opens, Offline: wid.OfflineForm,
		AgentName: agent, Limits: limitsOf(wid), Files: acceptedBy(wid),
		ChatURL: static.Path("widget/chat.js"), MoreURL: static.Path("widget/more.js"), LocaleURLs: localeURLs,
	})
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-cache") // keep it, but ask whether it still holds
	serveTagged(w, r, body)
	return nil
}

// serveTagged answers with body, or with 304 to who has it already.
func serveTagged(w http.ResponseWriter, r *http.Request, body []byte) {
	tag(w, body)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

func tag(w http.ResponseWriter, body []byte) {
	sum := sha256.Sum256(body)
	w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:12])+`"`)
}

// demoPolicy lets the demo page do what a page that embeds the widget must allow, and nothing else.
const demoPolicy = "default-src 'self'; script-src 'self'; style-src 'self'; connect-src 'self' ws: wss:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func (s *Surface) demoPage(w http.ResponseWriter, r *http.Request) error {
	var page bytes.Buffer
	if err := views.Demo(s.demo).Render(r.Context(), &page); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", demoPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = page.WriteTo(w) // the reader is gone: nothing to do
	return nil
}
