package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// treatment is what the proxy does with a request.
type treatment int

const (
	pass   treatment = iota
	forbid           // it is answered with 403, as by a company's proxy
	fail             // it is answered with 502, as by a balancer whose server restarts
	reset            // its connection is reset, as by a firewall
	hang             // it is taken and never answered
	gag              // the server gets it, but the answer is lost
	hoard            // the answer is held back until it is complete, as by a virus scanner
)

// screen decides about each request.
type screen func(r *http.Request) treatment

func allPass(*http.Request) treatment { return pass }

func noneBut(method string) screen {
	return func(r *http.Request) treatment {
		if r.Method == method {
			return pass
		}
		return forbid
	}
}

func noSockets(how treatment) screen {
	return func(r *http.Request) treatment {
		if r.Header.Get("Upgrade") != "" {
			return how
		}
		return pass
	}
}

// proxy is a network that fails: it stands between browsers and a server, and begins as a good one. It also serves a page that
// embeds the widget, at /page.
type proxy struct {
	url  string
	end  context.Context // of the test
	deal atomic.Pointer[screen]
	cuts atomic.Int32

	mu     sync.Mutex
	wires  map[*wire]bool
	counts map[treatment]map[string]int // requests, by the last element of their paths
}

func newProxy(t testing.TB, target, widget string) *proxy {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	end, stop := context.WithCancel(context.Background())
	p := &proxy{url: "http://" + listener.Addr().String(), end: end, wires: map[*wire]bool{}, counts: map[treatment]map[string]int{}}
	p.treat(allPass)
	transport := &http.Transport{}
	server := &http.Server{Handler: p.handler(to, transport, widget), ReadHeaderTimeout: patience}
	served := make(chan struct{})
	go func() {
		_ = server.Serve(wireListener{listener, p})
		close(served)
	}()
	t.Cleanup(func() {
		stop()
		_ = server.Close()
		p.cut()
		transport.CloseIdleConnections()
		<-served
	})
	return p
}

// treat changes what happens to requests from now on. Those that hang stay hanging; what has passed lives on until it is cut.
func (p *proxy) treat(s screen) { p.deal.Store(&s) }

// seen is how many requests to paths with this last element were treated so.
func (p *proxy) seen(how treatment, name string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts[how][name]
}

// tried is how many requests came, whatever happened to them.
func (p *proxy) tried() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, names := range p.counts {
		for _, count := range names {
			n += count
		}
	}
	return n
}

func (p *proxy) count(how treatment, name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.counts[how] == nil {
		p.counts[how] = map[string]int{}
	}
	p.counts[how][name]++
}

func (p *proxy) handler(to *url.URL, transport http.RoundTripper, widget string) http.Handler {
	through := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host
		},
		Transport: transport,
		ErrorLog:  log.New(io.Discard, "", 0), // of failures, which are what it is for
	}
	hoarding := *through
	hoarding.ModifyResponse = func(resp *http.Response) error {
		whole, err := io.ReadAll(resp.Body)
		resp.Body = io.NopCloser(bytes.NewReader(whole))
		return err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/page" {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = fmt.Fprintf(w, `<!doctype html><html lang="en"><title>A site</title><link rel="icon" href="data:,"><script async src="/widget.js" data-widget="%s"></script>`, widget)
			return
		}
		how := (*p.deal.Load())(r)
		p.count(how, path.Base(r.URL.Path))
		switch how {
		case pass:
			through.ServeHTTP(w, r)
		case hoard:
			hoarding.ServeHTTP(w, r)
		case forbid:
			http.Error(w, "this site is not for you", http.StatusForbidden)
		case fail:
			http.Error(w, "nobody is there just now", http.StatusBadGateway)
		case reset:
			if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
				conn.(*wire).cut()
			}
		case gag:
			through.ServeHTTP(httptest.NewRecorder(), r)
			p.hold(r)
		case hang:
			p.hold(r)
		}
	})
}

// hold lets a browser wait for as long as it likes.
func (p *proxy) hold(r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-p.end.Done():
	}
}

// cut resets every connection that a browser has to here.
func (p *proxy) cut() {
	for _, w := range p.open() {
		w.cut()
	}
	p.cuts.Add(1)
}

// cutEvery cuts again and again, until stop is called or the test ends.
func (p *proxy) cutEvery(d time.Duration) (stop func()) {
	ctx, stop := context.WithCancel(p.end)
	go func() {
		tick := time.NewTicker(d)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				p.cut()
			case <-ctx.Done():
				return
			}
		}
	}()
	return stop
}

// deaden lets every open connection stay open, but nothing comes through any more, either way: not even its end. New ones are fine.
func (p *proxy) deaden() {
	for _, w := range p.open() {
		w.deaf.Store(true)
		w.dead.Store(true)
	}
}

// deafen does the same one way: what browsers say is heard, but they hear nothing.
func (p *proxy) deafen() {
	for _, w := range p.open() {
		w.deaf.Store(true)
	}
}

func (p *proxy) open() (ws []*wire) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for w := range p.wires {
		ws = append(ws, w)
	}
	return ws
}

// wire is a browser's connection.
type wire struct {
	net.Conn
	p    *proxy
	dead atomic.Bool // nothing comes from the browser
	deaf atomic.Bool // nothing comes to the browser
}

func (w *wire) Read(b []byte) (int, error) {
	for {
		n, err := w.Conn.Read(b)
		if err != nil || !w.dead.Load() {
			return n, err
		}
	}
}

func (w *wire) Write(b []byte) (int, error) {
	if w.deaf.Load() {
		return len(b), nil
	}
	return w.Conn.Write(b)
}

// Close is the server's wish to end it. A deaf browser does not hear of it.
func (w *wire) Close() error {
	if w.deaf.Load() {
		return w.SetDeadline(time.Now())
	}
	return w.drop()
}

// cut ends it without a farewell.
func (w *wire) cut() {
	if tcp, ok := w.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = w.drop()
}

func (w *wire) drop() error {
	w.p.mu.Lock()
	delete(w.p.wires, w)
	w.p.mu.Unlock()
	return w.Conn.Close()
}

type wireListener struct {
	net.Listener
	p *proxy
}

func (l wireListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	w := &wire{Conn: conn, p: l.p}
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	l.p.wires[w] = true
	return w, nil
}
