package ledger

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/parley-chat/parley/domain"
)

// channelRow is a channel with its secrets as they lie in the table.
type channelRow struct {
	domain.Channel `bun:",extend"`
	Sealed         []byte `bun:"secret"`
	SealedToken    []byte `bun:"token"`
}

func channelPlace(id domain.ChannelID) string { return "channels.secret:" + string(id) }

func channelTokenPlace(id domain.ChannelID) string { return "channels.token:" + string(id) }

func (l *Ledger) openChannel(row channelRow) (domain.Channel, error) {
	secret, err := l.seal.Open(channelPlace(row.ID), row.Sealed)
	var token []byte
	if err == nil {
		token, err = l.seal.Open(channelTokenPlace(row.ID), row.SealedToken)
	}
	if err != nil {
		return domain.Channel{}, &domain.Error{Kind: domain.Internal, Code: domain.CodeInternal, Err: err,
			Msg: fmt.Sprintf("the secret of channel %q cannot be opened: was PARLEY_SECRET changed?", row.Name)}
	}
	row.Secret, row.Token = string(secret), string(token)
	return row.Channel, nil
}

// Channels lists an organisation's channels, the oldest first. Of their secrets it tells only that there are some: they are Masked.
func (l *Ledger) Channels(ctx context.Context, org domain.OrgID) ([]domain.Channel, error) {
	var rows []channelRow
	if err := l.NewSelect().Model(&rows).Where("org_id = ?", org).OrderExpr("id").Scan(ctx); err != nil {
		return nil, classify(err)
	}
	cs := make([]domain.Channel, len(rows))
	for i, row := range rows {
		if cs[i] = row.Channel; len(row.Sealed) > 0 {
			cs[i].Secret = domain.Masked
		}
		if len(row.SealedToken) > 0 {
			cs[i].Token = domain.Masked
		}
	}
	return cs, nil
}

// Channel reads a channel with its secret. Another organisation's is NotFound.
func (l *Ledger) Channel(ctx context.Context, org domain.OrgID, id domain.ChannelID) (domain.Channel, error) {
	return l.channel(ctx, l.NewSelect().Where("id = ?", id), org)
}

// LockChannel is Channel for a transaction that will change it: nobody else can until it ends.
func (l *Ledger) LockChannel(ctx context.Context, org domain.OrgID, id domain.ChannelID) (domain.Channel, error) {
	return l.channel(ctx, l.NewSelect().Where("id = ?", id).For("UPDATE"), org)
}

// ChannelByName finds a channel by what events call it, with its secret. It fails with NotFound.
func (l *Ledger) ChannelByName(ctx context.Context, org domain.OrgID, name string) (domain.Channel, error) {
	return l.channel(ctx, l.NewSelect().Where("name = ?", clean(name)), org)
}

func (l *Ledger) channel(ctx context.Context, q *bun.SelectQuery, org domain.OrgID) (domain.Channel, error) {
	var row channelRow
	if err := q.Model(&row).Where("org_id = ?", org).Scan(ctx); err != nil {
		return domain.Channel{}, classify(err)
	}
	return l.openChannel(row)
}

func (l *Ledger) channelRow(c domain.Channel) (channelRow, error) {
	row := channelRow{Channel: c}
	var err error
	if row.Sealed, err = l.seal.Seal(channelPlace(c.ID), []byte(c.Secret)); err != nil {
		return row, classify(err)
	}
	row.SealedToken, err = l.seal.Seal(channelTokenPlace(c.ID), []byte(c.Token))
	return row, classify(err)
}

func channelNameTaken() error {
	return domain.Conflictf("another channel of the organisation has this name")
}

// CreateChannel stores a new channel, its secret sealed. It fails with Conflict if the organisation has one of its name.
func (l *Ledger) CreateChannel(ctx context.Context, c domain.Channel) error {
	row, err := l.channelRow(c)
	if err != nil {
		return err
	}
	_, err = l.NewInsert().Model(&row).Exec(ctx)
	if isUnique(err) {
		return channelNameTaken()
	}
	return classify(err)
}

// UpdateChannel stores all of c but its organisation and birth. It fails as CreateChannel does, and with NotFound.
func (l *Ledger) UpdateChannel(ctx context.Context, c domain.Channel) error {
	row, err := l.channelRow(c)
	if err != nil {
		return err
	}
	res, err := l.NewUpdate().Model(&row).ExcludeColumn("id", "org_id", "created_at").Where("org_id = ? AND id = ?", c.OrgID, c.ID).Exec(ctx)
	if isUnique(err) {
		return channelNameTaken()
	}
	return one(res, err)
}

// DeleteChannel removes a channel. Its threads stay.
func (l *Ledger) DeleteChannel(ctx context.Context, org domain.OrgID, id domain.ChannelID) error {
	res, err := l.NewDelete().Model((*domain.Channel)(nil)).Where("org_id = ? AND id = ?", org, id).Exec(ctx)
	return one(res, err)
}
