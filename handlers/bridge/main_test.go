package bridge

import (
	"testing"

	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

func TestMain(m *testing.M) { ledgertest.Main(m) }
