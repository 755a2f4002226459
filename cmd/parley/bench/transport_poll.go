package bench

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

// poll asks again and again, and speaks by requests.
type poll struct {
	speaker
	after  int64
	frames []frame         // heard and not yet handed out
	ctx    context.Context // ends with cut
	stop   context.CancelFunc
}

const (
	pollWait   = 25 * time.Second // an unanswered poll is held so long
	pollWithin = pollWait + requestWithin
)

func (d door) dialPoll(token string, after int64) connection {
	p := &poll{speaker: speaker{d, token}, after: after}
	p.ctx, p.stop = context.WithCancel(context.Background())
	return p
}

func (p *poll) next(ctx context.Context) (frame, error) {
	for len(p.frames) == 0 {
		if err := p.ask(ctx); err != nil {
			return frame{}, err
		}
	}
	f := p.frames[0]
	p.frames = p.frames[1:]
	if f.Type == "message" {
		p.after = max(p.after, f.Seq)
	}
	return f, p.ctx.Err()
}

func (p *poll) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pollWithin)
	defer cancel()
	defer context.AfterFunc(p.ctx, cancel)()
	var answer struct {
		Frames []frame `json:"frames"`
	}
	path := "/poll?after_seq=" + strconv.FormatInt(p.after, 10) + "&wait=" + strconv.Itoa(int(pollWait.Seconds()))
	if err := p.door.call(ctx, http.MethodGet, path, p.token, nil, &answer); err != nil {
		return err
	}
	p.frames = answer.Frames
	return nil
}

func (p *poll) cut() { p.stop() }
