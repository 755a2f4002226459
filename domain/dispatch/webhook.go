package dispatch

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/agent"
	"github.com/parley-chat/parley/domain/ledger"
)

// Webhook is the transport "webhook". A delivery's target is a webhook's id; its payload is a domain.Told.
type Webhook struct {
	Ledger    *ledger.Ledger
	Outbound  *agent.Outbound
	PublicURL string // where receivers find this server: for the files of messages, and the link in mails
	Log       *slog.Logger
	Within    time.Duration // for all of one attempt; 0 = 10 s
}

const (
	webhookWithin = 10 * time.Second
	webhookGone   = "It answered with status 410: it is gone."
)

// Send posts what happened, signed. Any 2xx means that it was taken; redirects are not followed.
func (w *Webhook) Send(ctx context.Context, d ledger.Delivery) error {
	hook, err := w.Ledger.SigningWebhook(ctx, d.OrgID, domain.WebhookID(d.Target))
	switch {
	case err != nil && domain.KindOf(err) == domain.NotFound:
		return &Undeliverable{errors.New("the webhook is gone")}
	case err != nil:
		return errors.New("the webhook could not be read from the database")
	case !hook.Enabled:
		return &Undeliverable{errors.New("the webhook was switched off")}
	}
	if err = w.post(ctx, d, hook); err != nil {
		w.failed(ctx, hook, d, err)
		return err
	}
	if !hook.FailingSince.IsZero() {
		if err := w.Ledger.WebhookAnswered(ctx, hook.OrgID, hook.ID); err != nil {
			w.Log.WarnContext(ctx, "could not note that a webhook answers again; its next answer does", "webhook", hook.ID, "err", err)
		}
	}
	return nil
}

func (w *Webhook) post(ctx context.Context, d ledger.Delivery, hook domain.Webhook) error {
	within := cmp.Or(w.Within, webhookWithin)
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	var told domain.Told
	if err := json.Unmarshal(d.Payload, &told); err != nil {
		return &Undeliverable{errors.New("the payload is not what a webhook is told")}
	}
	if told.Message != nil {
		told.Message.Attachments = domain.AttachmentsAt(w.PublicURL, told.Message.Attachments)
	}
	body, err := json.Marshal(told)
	if err != nil {
		return &Undeliverable{errors.New("the payload cannot be encoded")}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, hook.URL, bytes.NewReader(body))
	if err != nil {
		return &Undeliverable{errors.New("its address is not usable")}
	}
	secrets := []string{hook.Secret}
	if hook.Previous != "" {
		secrets = append(secrets, hook.Previous)
	}
	r.Header = http.Header{"Content-Type": {"application/json"}, "User-Agent": {"Parley"}, "X-Parley-Event": {string(told.Kind)},
		"X-Parley-Delivery": {string(d.ID)}, agent.SignatureHeader: {agent.Signature(time.Now(), body, secrets...)}}
	resp, err := w.Outbound.Client().Do(r)
	if err != nil {
		return unheard(ctx, err, within)
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(io.LimitReader(resp.Body, answerKept))
	d.Reply.Status, d.Reply.Body = resp.StatusCode, strings.ToValidUTF8(string(said), "")
	if err == nil {
		_, _ = io.CopyN(io.Discard, resp.Body, answerRead)
	}
	return taken(resp)
}

// unheard says why a request was not answered.
func unheard(ctx context.Context, err error, within time.Duration) error {
	reason, final := agent.Unreached(err)
	switch {
	case final:
		return &Undeliverable{errors.New(reason)}
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("it did not answer within %g s", within.Seconds())
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return errors.New("it broke off before it answered")
	}
	return errors.New(reason)
}

// taken is nil for an answer that says so. What the other side does not want today it may want tomorrow, when it is mended: only
// that it is gone is final.
func taken(resp *http.Response) error {
	why := fmt.Errorf("it answered with status %d", resp.StatusCode)
	switch s := resp.StatusCode; {
	case s >= 200 && s < 300:
		return nil
	case s >= 300 && s < 400:
		return fmt.Errorf("%w: redirects are not followed", why)
	case s == http.StatusGone:
		return &Undeliverable{why}
	}
	if wait := agent.RetryAfter(resp.Header); wait > 0 {
		return &Later{why, wait}
	}
	return why
}

// failed switches off a webhook that says it is gone, or has done nothing but fail for as long as anybody can be patient.
func (w *Webhook) failed(ctx context.Context, hook domain.Webhook, d ledger.Delivery, why error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeFor)
	defer cancel()
	enough, err := w.Ledger.WebhookFailed(ctx, hook.OrgID, hook.ID)
	reason := fmt.Sprintf("Nothing but failures for %d days, the last one: %s.", domain.WebhookPatience/(24*time.Hour), why)
	if d.Reply.Status == http.StatusGone {
		enough, reason = true, webhookGone
	}
	if err == nil && enough {
		err = w.Ledger.DisableWebhook(ctx, hook.OrgID, hook.ID, reason, disabledLetter(hook, reason, w.PublicURL))
		w.Log.WarnContext(ctx, "webhook switched off", "webhook", hook.ID, "reason", reason)
	}
	if err != nil {
		w.Log.WarnContext(ctx, "could not note that a webhook fails", "webhook", hook.ID, "err", err)
	}
}
