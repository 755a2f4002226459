package account

import (
	"context"

	"github.com/parley-chat/parley/domain"
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
	p := problems{}
	p.oneOf("record_content", string(r.Content), string(domain.RecordOff), string(domain.RecordMetadata), string(domain.RecordFull))
	p.between("record_days", r.Days, 0, maxRecordDays)
	if err := p.err(); err != nil {
		return err
	}
	return found(s.ledger.SetRecording(ctx, org, r), "organisation")
}
