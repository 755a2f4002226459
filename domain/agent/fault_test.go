package agent

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/parley-chat/parley/domain"
)

// Whose fault a failed turn is tells an owner where to look.
func TestFaults(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		does act
		want domain.Fault
	}{
		"wrong key":    {refuse(401, ``), domain.FaultAccess},
		"no right":     {refuse(403, ``), domain.FaultAccess},
		"overloaded":   {refuse(503, ``), domain.FaultProvider},
		"no model":     {refuse(404, ``), domain.FaultProvider},
		"cut":          {chunks(text("Hel")).then(hangUp), domain.FaultProvider},
		"ends early":   {chunks(text("Hel")), domain.FaultProvider},
		"says so":      {chunks(`{"error":{"message":"overloaded"}}`), domain.FaultProvider},
		"hangs up":     {hangUp, domain.FaultProvider},
		"empty answer": {chunks(finished, over), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := askModel(t, modelAgent(newModel(t, tt.does).URL), Deps{}, 0, chat("?: hi"), &tape{})
			if f, ok := errors.AsType[*Failure](err); !ok || f.Fault != tt.want {
				t.Errorf("%v is %+v, want %q", err, f, tt.want)
			}
		})
	}
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	away := map[string]domain.Agent{"model": modelAgent(closed.URL), "http": httpAgent(closed.URL), "websocket": websocketAgent(strings.Replace(closed.URL, "http", "ws", 1))}
	for kind, a := range away {
		_, err := askModel(t, a, Deps{}, 0, chat("?: hi"), &tape{})
		if f, ok := errors.AsType[*Failure](err); !ok || f.Fault != domain.FaultProvider {
			t.Errorf("%s that is away: %v, %+v", kind, err, f)
		}
	}
}

// A stream tells thoughts apart from what is said.
func TestHTTPAgentThinks(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(asStream(`thinking {"content":"hm"}`, `delta {"content":"A"}`, `reply {"content":"A"}`, `done {}`))
	t.Cleanup(srv.Close)
	sink := &deltas{}
	_, err := askModel(t, httpAgent(srv.URL), Deps{}, 0, chat("?: hi"), sink)
	if err != nil || sink.thought != "hm" || sink.text != "A" && sink.text != "" || len(sink.replies) != 1 || sink.replies[0].Content != "A" {
		t.Errorf("thought %q, said %q %v, %v", sink.thought, sink.text, sink.replies, err)
	}
}
