package main

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/dispatch"
	"github.com/parley-chat/parley/domain/ledger"
)

// metrics count what this node does. /metrics shows them to Prometheus.
type metrics struct {
	registry   *prometheus.Registry
	messages   *prometheus.CounterVec
	suppressed prometheus.Counter
	moves      *prometheus.CounterVec
	turns      *prometheus.HistogramVec
	circuits   *prometheus.CounterVec
	deliveries *prometheus.HistogramVec
}

func newMetrics(l *ledger.Ledger, d *dispatch.Dispatcher, courier *dispatch.Courier, connections func() float64) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "parley_messages_total", Help: "Messages this node has committed, by author."}, []string{"author"}),
		suppressed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parley_replies_suppressed_total", Help: "Agent replies that came after their thread had changed hands."}),
		moves: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "parley_thread_changes_total", Help: "Changes of a thread's handling, assignee or read marks, by the handling after."}, []string{"handling"}),
		turns: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "parley_turn_seconds", Help: "Length of agents' turns, by how they ended.",
			Buckets: []float64{.005, .02, .1, .5, 1, 2, 5, 10, 30, 60}}, []string{"outcome"}),
	}
	m.circuits = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_agent_circuit_changes_total", Help: "Circuits of agents this node has opened or closed, by what they are after."}, []string{"circuit"})
	m.deliveries = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "parley_delivery_seconds", Help: "Length of attempts to bring mails, replies and what webhooks are told on their way, by transport and outcome: arrived, failed or dead.",
		Buckets: []float64{.01, .05, .2, .5, 1, 2, 5, 10, 30}}, []string{"transport", "outcome"})
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.messages, m.suppressed, m.moves, m.turns, m.circuits, m.deliveries, &openCircuits{l},
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "parley_visitor_connections", Help: "Sockets and streams of visitors on this node."}, connections))
	l.OnCommit(m.committed)
	d.OnCircuit(func(c domain.Circuit) { m.circuits.WithLabelValues(string(c)).Inc() })
	courier.OnAttempt(func(a dispatch.Attempt) {
		m.deliveries.WithLabelValues(a.Transport, a.Outcome).Observe(a.Took.Seconds())
	})
	d.OnTurn(func(e dispatch.Ended) { m.turns.WithLabelValues(e.Outcome).Observe(e.Took.Seconds()) })
	return m
}

func (m *metrics) committed(outs []ledger.Outcome) {
	for _, o := range outs {
		switch {
		case o.Suppressed:
			m.suppressed.Inc()
		case o.Message != nil:
			m.messages.WithLabelValues(string(o.Message.Author.Kind)).Inc()
		}
		if o.Moved {
			m.moves.WithLabelValues(string(o.Thread.Handling)).Inc()
		}
	}
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// openCircuits asks the ledger, with every scrape, which agents get no turns, who waits for them, and what waits to be delivered. Every
// node tells the same.
type openCircuits struct{ ledger *ledger.Ledger }

var (
	circuitsOpen    = prometheus.NewDesc("parley_agents_circuit_open", "Agents whose circuit is open, on all nodes.", nil, nil)
	circuitsWaiting = prometheus.NewDesc("parley_dispatches_waiting_for_circuit", "Threads that wait for such an agent.", nil, nil)
	deliveriesOpen  = prometheus.NewDesc("parley_deliveries_waiting", "Deliveries that wait or are on their way, on all nodes, by transport.", []string{"transport"}, nil)
)

const scrapeWithin = 2 * time.Second

func (*openCircuits) Describe(out chan<- *prometheus.Desc) {
	out <- circuitsOpen
	out <- circuitsWaiting
	out <- deliveriesOpen
}

// Collect leaves out what it cannot know while the database does not answer.
func (c *openCircuits) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeWithin)
	defer cancel()
	agents, waiting, err := c.ledger.OpenCircuits(ctx)
	if err != nil {
		return
	}
	open, err := c.ledger.OpenDeliveries(ctx)
	for _, transport := range []string{ledger.TransportMail, ledger.TransportReplyURL, ledger.TransportChatwoot, ledger.TransportWebhook} {
		if err == nil { // also of a way on which nothing waits: an alert wants a zero, not nothing
			open[transport] += 0
		}
	}
	for transport, n := range open {
		out <- prometheus.MustNewConstMetric(deliveriesOpen, prometheus.GaugeValue, float64(n), transport)
	}
	out <- prometheus.MustNewConstMetric(circuitsOpen, prometheus.GaugeValue, float64(agents))
	out <- prometheus.MustNewConstMetric(circuitsWaiting, prometheus.GaugeValue, float64(waiting))
}
