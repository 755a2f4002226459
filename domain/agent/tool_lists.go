package agent

import (
	"crypto/sha256"
	"encoding/json"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/parley-chat/parley/domain"
)

// ToolLists remembers for a while which of the allowed tools a server offers, so that not every turn begins with asking. The zero value
// is empty and ready. It is safe for concurrent use.
type ToolLists struct {
	Now func() time.Time // nil = time.Now

	mu    sync.Mutex
	lists map[listKey]toolList
}

// listKey is what a list depends on: whose agent asks, where, with what to show for itself, and what it would use.
type listKey [sha256.Size]byte

type toolList struct {
	tools []*mcp.Tool
	until time.Time
}

const (
	toolListLife = 5 * time.Minute
	toolListMost = 1000
)

// listKeyOf is the key to all that a server offers; of narrows it down to the tools that a turn may use.
func listKeyOf(a domain.Agent, s domain.ToolServer, headers map[string]string) listKey {
	return keyOf(a.OrgID, a.ID, s.Name, s.URL, headers)
}

func (k listKey) of(tools []string) listKey { return keyOf(k, tools) }

func keyOf(parts ...any) listKey {
	raw, err := json.Marshal(parts)
	if err != nil {
		panic(err) // texts can be encoded
	}
	return sha256.Sum256(raw)
}

func (l *ToolLists) now() time.Time {
	if l.Now != nil {
		return l.Now()
	}
	return time.Now()
}

// known is a list that is still good.
func (l *ToolLists) known(k listKey) ([]*mcp.Tool, bool) {
	if l == nil {
		return nil, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	list, ok := l.lists[k]
	return list.tools, ok && l.now().Before(list.until)
}

func (l *ToolLists) keep(k listKey, tools []*mcp.Tool) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if len(l.lists) >= toolListMost {
		for other, list := range l.lists {
			if !now.Before(list.until) {
				delete(l.lists, other)
			}
		}
	}
	if l.lists == nil || len(l.lists) >= toolListMost { // all in use: begin anew rather than grow
		l.lists = map[listKey]toolList{}
	}
	l.lists[k] = toolList{tools, now.Add(toolListLife)}
}

func (l *ToolLists) forget(k listKey) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.lists, k)
}
