package agent

import (
	"testing"

	"go.uber.org/goleak"
)

// A turn leaves no goroutine behind, however it ended.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
