package pipeline

import (
	"fmt"

	"github.com/consentry/consentry/internal/media"
)

// scrubbed proves, from the finished bytes, that nothing but pixels and colour profile is left.
// The bytes come from the process that decoded a foreign file, so its word is not taken for it.
func scrubbed(derivative Derivative) error {
	if err := media.VerifyScrubbed(derivative.Data); err != nil {
		return fmt.Errorf("the derivative is not clean: %w", err)
	}
	return nil
}
