package domain

import (
	"encoding/json"
	"strings"
	"time"
)

// WebSocketConfig configures the websocket runtime. The values of its headers are secret: see [Agent.Headers].
type WebSocketConfig struct {
	URL                   string  `json:"url"`
	ConnectTimeoutSeconds float64 `json:"connect_timeout_seconds"`
	TimeoutSeconds        float64 `json:"timeout_seconds"` // from the moment the message was sent
	MaxResponses          int     `json:"max_responses"`
}

// ConnectTimeout bounds DNS, TCP, TLS and the WebSocket handshake together.
func (c WebSocketConfig) ConnectTimeout() time.Duration { return seconds(c.ConnectTimeoutSeconds) }

// Timeout bounds the exchange once the message was sent.
func (c WebSocketConfig) Timeout() time.Duration { return seconds(c.TimeoutSeconds) }

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// ParseWebSocketConfig reads a stored config and applies the defaults. It fails with Invalid, a problem per field.
func ParseWebSocketConfig(raw json.RawMessage) (WebSocketConfig, error) {
	r := readConfig(raw, agentProblems{})
	return r.webSocket(), r.problems.err()
}

func (r *configReader) webSocket() WebSocketConfig {
	c := WebSocketConfig{ConnectTimeoutSeconds: 10, TimeoutSeconds: 30, MaxResponses: 5}
	readKey(r, "url", &c.URL, "must be text")
	readKey(r, "connect_timeout_seconds", &c.ConnectTimeoutSeconds, "must be a number of seconds")
	readKey(r, "timeout_seconds", &c.TimeoutSeconds, "must be a number of seconds")
	readKey(r, "max_responses", &c.MaxResponses, "must be a whole number")
	c.URL = strings.TrimSpace(c.URL)
	r.problems.url("config.url", c.URL, "ws", "wss")
	between(r.problems, "config.connect_timeout_seconds", c.ConnectTimeoutSeconds, 0.1, 60)
	between(r.problems, "config.timeout_seconds", c.TimeoutSeconds, 0.1, 300)
	between(r.problems, "config.max_responses", c.MaxResponses, 1, 20)
	return c
}
