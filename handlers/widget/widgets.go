package widget

import (
	"reflect"
	"sync"

	"github.com/parley-chat/parley/domain"
)

// mostWidgets is how many widgets are kept for those who connect to them next.
const mostWidgets = 1000

// widgets lets all who are connected to a widget share one copy of it: most of what one of them holds would be that. It answers nobody:
// a widget is read whenever somebody asks for it.
type widgets struct {
	mu   sync.Mutex
	last map[domain.WidgetID]*domain.Widget
}

// shared is a widget that says the same as w. It must not be changed.
func (ws *widgets) shared(w domain.Widget) *domain.Widget {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if last, ok := ws.last[w.ID]; ok && reflect.DeepEqual(*last, w) {
		return last
	}
	if ws.last == nil || len(ws.last) >= mostWidgets {
		ws.last = map[domain.WidgetID]*domain.Widget{}
	}
	ws.last[w.ID] = &w
	return &w
}
