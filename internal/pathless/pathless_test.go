package pathless

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
)

func TestError(t *testing.T) {
	_, open := os.Open("/nonexistent/Alice")
	for name, err := range map[string]error{
		"open":    open,
		"wrapped": fmt.Errorf("reading: %w", open),
		"rename":  os.Rename("/nonexistent/Alice", "/nonexistent/Bob"),
	} {
		got := Error(err)
		if strings.Contains(got.Error(), "Alice") || !errors.Is(got, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, got)
		}
	}
	if own := errors.New("own"); !errors.Is(Error(own), own) || Error(nil) != nil {
		t.Error("an error without a path was changed")
	}
}
