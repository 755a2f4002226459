package main

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// TestNodesOverNATS has two nodes that tell each other over NATS what Postgres tells otherwise, and a visitor between them.
func TestNodesOverNATS(t *testing.T) {
	t.Parallel()
	hub, err := natsserver.NewServer(&natsserver.Options{Host: "127.0.0.1", Port: natsserver.RANDOM_PORT, NoSigs: true, NoLog: true, NoSystemAccount: true,
		Username: "parley", Password: "s3cret"})
	if err != nil {
		t.Fatal(err)
	}
	hub.Start()
	t.Cleanup(hub.Shutdown)
	if !hub.ReadyForConnections(patience) {
		t.Fatal("NATS does not start")
	}
	e := environment(t)
	e["PARLEY_BACKPLANE"] = strings.Replace(hub.ClientURL(), "nats://", "nats://parley:s3cret@", 1)
	e["PARLEY_LOG"] = "info"
	one, two := serve(t, e, "--demo"), serve(t, e, "--demo")

	listener, err := nats.Connect(e["PARLEY_BACKPLANE"])
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	told := make(chan *nats.Msg, 100)
	if _, err := listener.ChanSubscribe("parley.*.hints", told); err != nil {
		t.Fatal(err)
	}
	if err := listener.Flush(); err != nil {
		t.Fatal(err)
	}

	var widgets struct{ Items []struct{ Key string } }
	one.call(t, "GET", "/api/v1/widgets", apiKey(t, e, "demo"), nil, &widgets)
	here := one.visit(t, widgets.Items[0].Key)
	there := &visitor{two, here.base, here.token}
	polled := make(chan []line, 1)
	go func() {
		var a struct{ Frames []line }
		two.call(t, "GET", here.base+"/poll?after_seq=0&wait=25", here.token, nil, &a)
		polled <- a.Frames
	}()
	if code := here.say(t, "c1", "How long does delivery take?"); code != 201 {
		t.Fatalf("said: %d", code)
	}
	if frames := <-polled; len(frames) == 0 || frames[0].Content != "How long does delivery take?" {
		t.Errorf("the other node tells %v", frames)
	}
	there.answered(t, "agent", 1)
	for growth := false; !growth; {
		select {
		case m := <-told:
			growth = strings.Contains(string(m.Data), `"g":[{`)
		case <-time.After(patience):
			t.Fatal("nothing went over NATS")
		}
	}
	conn, err := pgx.Connect(t.Context(), e["DATABASE_URL"])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	var listening int
	err = conn.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE 'listen %'`).Scan(&listening)
	if err != nil || listening > 0 {
		t.Errorf("%d connections listen at Postgres all the same (%v)", listening, err)
	}

	code, out, _ := command(t, e, "", "doctor")
	if !strings.Contains(out, "hints go over nats://") || strings.Contains(out+one.out.String(), "s3cret") {
		t.Errorf("doctor ends with %d and says %s; the log has %s", code, out, one.out)
	}
	hub.Shutdown()
	code, out, _ = command(t, e, "", "doctor")
	if code != 1 || !strings.Contains(out, "NATS does not answer (PARLEY_BACKPLANE)") || strings.Contains(out, "s3cret") {
		t.Errorf("without NATS, doctor ends with %d and says %s", code, out)
	}
	if code := here.say(t, "c2", "What does shipping cost?"); code != 201 {
		t.Errorf("without NATS, a line is answered with %d", code)
	}
	there.answered(t, "agent", 2)
}
