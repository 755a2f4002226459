package widget_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-chat/parley/domain/ledger/ledgertest"
	"github.com/parley-chat/parley/handlers/widget"
)

// The conformance suite: every scenario is played in every dialect, each from a transcript of its own that was written from what the
// dialect promises, in testdata/conformance/DIALECT/SCENARIO.txt. What a dialect has no way to say it has a transcript for too: it
// tells what happens instead. The words of a scenario are in stagehands_test.go, those of transcripts in transcript_test.go.
var scenarios = map[string]func(*widget.Limits){
	"open":      nil, // what comes first, and who is let in
	"ping":      nil,
	"answer":    nil, // a turn with thoughts, a tool, pieces, sources; its order, and its one end
	"history":   nil,
	"resume":    nil, // on another connection to another node
	"malformed": nil,
	"oversized": nil,
	"binary":    nil,
	"order":     nil, // what comes before its time, twice, or at the same time
	"away":      nil, // the client leaves during a turn, and comes back to another node
	"cancel":    nil,
	"person":    nil,                                                             // takes over, writes, and hands back
	"failure":   nil,                                                             // of the agent, for good
	"foreign":   nil,                                                             // what belongs to another organisation
	"drain":     nil,                                                             // the node stops during a turn
	"long":      func(l *widget.Limits) { l.AliveEvery = 50 * time.Millisecond }, // a turn that takes its time
	"limits":    func(l *widget.Limits) { l.Frames = 1 },
}

var dialects = map[string]struct {
	path      string
	protocols []string
}{
	"parley":      {path: "/w/$widget/socket", protocols: []string{"parley.v1", "bearer.$token"}},
	"smooth":      {path: "/compat/smooth/ws?token=$known"},
	"construct":   {path: "/compat/construct/ws/chat?session_id=$sid&agent=$wanted&name=$called&token=$token", protocols: []string{"construct.v1"}},
	"triggerfish": {path: "/compat/triggerfish?widget=$widget"},
}

func TestConformance(t *testing.T) {
	t.Parallel()
	for dialect := range dialects {
		for scenario := range scenarios {
			t.Run(dialect+"/"+scenario, func(t *testing.T) {
				t.Parallel()
				newConformance(t, dialect, scenario).playFile("conformance/" + dialect + "/" + scenario + ".txt")
			})
		}
	}
}

// A transcript that no scenario plays would look like proof.
func TestConformanceIsComplete(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/conformance/*/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		if _, ok := scenarios[name]; !ok && name != "begin" {
			t.Errorf("%s is of no scenario", file)
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if text := string(b); !strings.Contains(text, "\n< ") && !strings.Contains(text, "\nrefused ") {
			t.Errorf("%s expects nothing", file)
		}
	}
	if want := len(dialects) * (len(scenarios) + 1); len(files) != want {
		t.Errorf("%d transcripts for %d dialects and %d scenarios, want %d", len(files), len(dialects), len(scenarios), want)
	}
}

// newConformance is a client of the dialect on two nodes, of which the first gives agents their turns.
func newConformance(t *testing.T, dialect, scenario string) *player {
	t.Helper()
	dsn := ledgertest.DSN(t)
	one, two, s := ledgertest.Open(t, dsn), ledgertest.Open(t, dsn), newStage()
	f, rival := ledgertest.Seed(t, one), ledgertest.Seed(t, one)
	ledgertest.Set(t, one, "agents", f.Agent, "kind", "websocket") // one that may name sources of its own
	ledgertest.Set(t, one, "agents", f.Agent, "settle_ms", 20)     // so that what is said is acknowledged before it is answered
	limits := widget.Limits{}
	if set := scenarios[scenario]; set != nil {
		set(&limits)
	}
	d := dialects[dialect]
	p := node(t, one, f, limits, s.voiced(t, one), operated(f, rival)).player(d.path, websocket.DialOptions{Subprotocols: d.protocols})
	p.nodes = []*world{p.world, node(t, two, f, limits, operated(f, rival))}
	p.names["token"], p.names["sid"], p.names["wanted"], p.names["called"], p.names["known"] = "good", "my-session", "", "", ""
	maps.Copy(p.does, stagehands(dialect, s, rival))
	return p
}

func (p *player) here() int { return slices.Index(p.nodes, p.world) }
