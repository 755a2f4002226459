package mcp

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"

	"github.com/parley-chat/parley/domain"
)

// inProtocol lets the protocol's library speak the protocol also when it refuses a request: what it says in plain text becomes the
// JSON-RPC error that clients look for. A call that can be told from others is answered under its id, with 200 as any call is.
type inProtocol struct {
	http.ResponseWriter
	request []byte
	status  int // of a refusal; 0: none
	words   bytes.Buffer
}

func (p *inProtocol) WriteHeader(status int) {
	if status >= http.StatusBadRequest && strings.HasPrefix(p.Header().Get("Content-Type"), "text/plain") {
		p.status = status
		return
	}
	p.ResponseWriter.WriteHeader(status)
}

func (p *inProtocol) Write(b []byte) (int, error) {
	if p.status != 0 {
		return p.words.Write(b)
	}
	return p.ResponseWriter.Write(b)
}

// Unwrap lets answers be flushed.
func (p *inProtocol) Unwrap() http.ResponseWriter { return p.ResponseWriter }

// finish sends what has become of a refusal.
func (p *inProtocol) finish() {
	if p.status == 0 {
		return
	}
	words := strings.TrimSpace(p.words.String())
	id, code := blame(p.request, words)
	if id != nil && p.status == http.StatusBadRequest {
		p.status = http.StatusOK
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": id, "error": map[string]any{"code": code, "message": words}})
	if err != nil {
		panic(err) // plain values can be encoded
	}
	p.Header().Set("Content-Type", "application/json")
	p.Header().Del("Content-Length")
	p.ResponseWriter.WriteHeader(p.status)
	_, _ = p.ResponseWriter.Write(body) // the reader is gone: nothing to do
}

// blame says what is wrong with a request that the library has refused with these words, and under which id to say so: null unless it is
// a call whose method is unknown or whose parameters are missing.
func blame(request []byte, words string) (id json.RawMessage, code int) {
	var call struct {
		JSONRPC string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Method  string          `json:"method"`
	}
	if !json.Valid(request) {
		return nil, jsonrpc.CodeParseError
	}
	if json.Unmarshal(request, &call) != nil || call.JSONRPC != "2.0" || len(call.ID) == 0 || string(call.ID) == "null" {
		return nil, jsonrpc.CodeInvalidRequest
	}
	switch {
	case strings.HasPrefix(words, "JSON RPC not handled"):
		return call.ID, jsonrpc.CodeMethodNotFound
	case strings.Contains(words, `missing required "params"`):
		return call.ID, jsonrpc.CodeInvalidParams
	}
	return nil, jsonrpc.CodeInvalidRequest
}

// misfit begins what encoding/json says about a number that is too large, which the library lets through its schemas.
const misfit = "json: "

// ofField is what a misfit is about, without Go's names of things.
func ofField(problem string) string {
	_, field, _ := strings.Cut(problem, "Go struct field ")
	field, _, _ = strings.Cut(field, " ")
	if field = field[strings.LastIndexByte(field, '.')+1:]; field == "" {
		field = "arguments"
	}
	return string(domain.CodeBadField) + ": " + field + ": has a value that does not fit"
}
