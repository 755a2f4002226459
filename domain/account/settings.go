package account

import (
	"context"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// maxRecordDays bounds how long details are kept, unless for ever: ten years.
const maxRecordDays = 3650

// Recording reads what the flight recorder keeps of an organisation's turns.
func (s *Service) Recording(ctx context.Context, org domain.OrgID) (domain.Recording, error) {
	r, err := s.ledger.Recording(ctx, org)
	return r, found(err, "organisation")
}

// SetRecording changes what the flight recorder keeps. It fails with Invalid.
func (s *Service) SetRecording(ctx context.Context, org domain.OrgID, r domain.Recording) error {
	if err := checkRecording(r); err != nil {
		return err
	}
	return found(s.ledger.SetRecording(ctx, org, r), "organisation")
}

// ChangeRecording lets change say what the flight recorder is to keep, looking at what it keeps, while nobody else can change it. It
// fails as SetRecording and change do.
func (s *Service) ChangeRecording(ctx context.Context, org domain.OrgID, change func(domain.Recording) (domain.Recording, error)) (r domain.Recording, err error) {
	err = s.ledger.InTx(ctx, func(tx *ledger.Ledger) error {
		if err := tx.LockOrganisation(ctx, org); err != nil {
			return found(err, "organisation")
		}
		if r, err = tx.Recording(ctx, org); err != nil {
			return err
		}
		if r, err = change(r); err != nil {
			return err
		}
		if err := checkRecording(r); err != nil {
			return err
		}
		return tx.SetRecording(ctx, org, r)
	})
	return r, err
}

func checkRecording(r domain.Recording) error {
	p := problems{}
	p.oneOf("record_content", string(r.Content), string(domain.RecordOff), string(domain.RecordMetadata), string(domain.RecordFull))
	p.between("record_days", r.Days, 0, maxRecordDays)
	return p.err()
}
