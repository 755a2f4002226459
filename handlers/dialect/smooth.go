package dialect

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/parley-chat/parley/domain"
)

// Smooth is the dialect of smooth-operator: every frame is an envelope with an action and the id of a request, and every event
// names the request that it answers.
type Smooth struct {
	Origin string // where the client finds this server: attachments are there
}

// Names of failures that only this dialect has, or that it tells apart more finely than Parley's codes do.
const (
	SmoothValidation            = "VALIDATION_ERROR"
	SmoothUnsupportedAction     = "UNSUPPORTED_ACTION"
	SmoothSessionNotFound       = "SESSION_NOT_FOUND"
	SmoothLLMUnavailable        = "LLM_UNAVAILABLE"
	SmoothAgentError            = "AGENT_ERROR"
	SmoothNoPendingConfirmation = "NO_PENDING_CONFIRMATION"
	SmoothNoPendingInteraction  = "NO_PENDING_INTERACTION"
	SmoothConversationNotFound  = "CONVERSATION_NOT_FOUND"
)

// smoothCodes are this dialect's names for Parley's codes; what is not among them is our own fault.
var smoothCodes = map[domain.Code]string{
	domain.CodeBadJSON: SmoothValidation, domain.CodeBadField: SmoothValidation, domain.CodeEmptyContent: SmoothValidation,
	domain.CodeTooLong: SmoothValidation, domain.CodeUnknownType: SmoothUnsupportedAction,
	domain.CodeSessionExpired: SmoothSessionNotFound, domain.CodeUnauthorized: SmoothSessionNotFound,
	domain.CodeUnknownWidget: "AGENT_NOT_AUTHORIZED", domain.CodeWidgetDisabled: "AGENT_NOT_AUTHORIZED",
	domain.CodeOriginNotAllowed: "ORIGIN_NOT_ALLOWED", domain.CodeIdentityInvalid: "AUTH_CONTEXT_INVALID",
	domain.CodeTurnInProgress: "TURN_IN_PROGRESS", domain.CodeRateLimited: "RATE_LIMITED", domain.CodeDailyCap: "RATE_LIMITED",
}

const (
	smoothMessage = 10000 // characters of a message
	smoothTitle   = 60    // of a conversation's title
	smoothPage    = 50    // messages or conversations in an answer, unless the client wants another number
	smoothMost    = 100
)

// Greets is Dialect's: a client begins with whatever it wants.
func (Smooth) Greets() bool { return false }

// Binary is Dialect's.
func (Smooth) Binary() error {
	return smoothRefusal("", SmoothValidation, "binary frames are not supported; send JSON text frames")
}

func smoothRefusal(requestID, name, msg string) *Refused {
	return &Refused{ClientID: requestID, Name: name, Err: &domain.Error{Kind: domain.Invalid, Code: domain.CodeBadField, Msg: msg}}
}

// Decode reads a client's frame. Keys it does not know are ignored, and so are values of the wrong type where they may be left out.
func (Smooth) Decode(frame []byte) (Command, error) {
	var f fields
	if err := json.Unmarshal(frame, &f); err != nil || f == nil {
		return nil, smoothRefusal("", SmoothValidation, "invalid JSON: a frame is one JSON object")
	}
	in := smoothFrame{fields: f, id: f.text("requestId")}
	action := f.text("action")
	if action == "" {
		return nil, smoothRefusal(in.id, SmoothValidation, "missing 'action'")
	}
	c := in.command(action)
	if in.problem != "" {
		return nil, smoothRefusal(in.id, SmoothValidation, in.problem)
	}
	if c == nil {
		return nil, smoothRefusal(in.id, SmoothUnsupportedAction, fmt.Sprintf("action '%s' is not supported by this server", action))
	}
	return c, nil
}

// smoothFrame reads one frame's fields and keeps the first problem.
type smoothFrame struct {
	fields
	id      string
	problem string
}

func (f *smoothFrame) complain(problem string) {
	if f.problem == "" {
		f.problem = problem
	}
}

func (f *smoothFrame) need(name string) string {
	s := f.text(name)
	if s == "" {
		f.complain("missing '" + name + "'")
	}
	return s
}

// command is nil for an action that there is not.
func (f *smoothFrame) command(action string) Command {
	switch action {
	case "ping":
		return Ping{RequestID: f.id}
	case "create_conversation_session":
		return f.session()
	case "get_session":
		return GetSession{f.id, f.need("sessionId")}
	case "get_conversation_messages":
		c := GetMessages{RequestID: f.id, SessionID: f.need("sessionId"), Limit: f.limit(), Cursor: cmp.Or(f.text("cursor"), f.text("before"))}
		if c.Limit < 1 || c.Limit > smoothMost {
			f.complain("'limit' must be a whole number from 1 to " + strconv.Itoa(smoothMost))
		}
		return c
	case "list_conversations":
		return ListConversations{f.id, max(1, min(f.limit(), 2*smoothMost)), f.text("cursor"), strings.TrimSpace(f.text("query"))}
	case "rename_conversation":
		c := RenameConversation{f.id, f.need("conversationId"), strings.TrimSpace(f.text("title"))}
		if c.Title == "" {
			f.complain("missing or empty 'title'")
		}
		c.Title = strings.TrimSpace(cut(c.Title, smoothTitle))
		return c
	case "send_message":
		return f.ask()
	case "confirm_tool_action":
		c := ConfirmTool{RequestID: f.id, SessionID: f.need("sessionId")}
		var ok bool
		if c.Approved, ok = f.truth("approved"); !ok {
			f.complain("missing boolean 'approved'")
		}
		return c
	case "submit_interaction":
		return SubmitInteraction{f.id, f.need("sessionId")}
	case "verify_otp":
		return VerifyOTP{f.id, f.need("sessionId")}
	case "cancel":
		return Cancel{f.id, f.text("sessionId")}
	}
	return nil
}

func (f *smoothFrame) limit() int {
	if raw, ok := f.fields["limit"]; !ok || string(raw) == "null" {
		return smoothPage
	}
	n, _ := f.number("limit")
	return int(max(0, min(n, 1<<20)))
}

func (f *smoothFrame) session() Command {
	c := OpenSession{RequestID: f.id, AgentID: f.need("agentId"), UserName: f.text("userName"), UserEmail: f.text("userEmail"),
		ConversationID: f.text("conversationId")}
	if auth, ok := f.object("authContext"); ok {
		at, timed := auth.number("timestamp")
		c.Identity = &Identity{UserID: auth.text("userId"), Signature: auth.text("signature"), Timestamp: at, Name: c.UserName, Email: c.UserEmail}
		c.IdentityFlawed = c.Identity.UserID == "" || c.Identity.Signature == "" || !timed
	}
	return c
}

func (f *smoothFrame) ask() Command {
	if f.id == "" {
		f.complain("send_message requires a 'requestId'")
	}
	c := Ask{RequestID: f.id, SessionID: f.need("sessionId"), Content: f.text("message"), Stream: true}
	if strings.TrimSpace(c.Content) == "" {
		f.complain("missing or empty 'message'")
	}
	if utf8.RuneCountInString(c.Content) > smoothMessage {
		f.complain("'message' must have at most " + strconv.Itoa(smoothMessage) + " characters")
	}
	if stream, ok := f.truth("stream"); ok {
		c.Stream = stream
	}
	return c
}
